DROP TABLE scheduling_insights;
DROP TABLE waitlist;
DROP TABLE timer;
DROP TABLE appointment;
