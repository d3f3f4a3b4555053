DROP TABLE event;
DROP TABLE experiment;
DROP TABLE template;
