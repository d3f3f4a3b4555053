DROP TABLE periodic_run;
