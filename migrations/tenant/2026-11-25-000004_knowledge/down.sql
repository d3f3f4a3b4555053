DROP TABLE catalog;
DROP TABLE knowledge;
