ALTER TABLE turn DROP COLUMN mood, DROP COLUMN intention;
DROP TABLE consent;
ALTER TABLE person DROP COLUMN opted_out_at;
ALTER TABLE conversation DROP COLUMN urgent, DROP COLUMN attendant, DROP COLUMN standing;
