DROP TABLE delivery;
DROP TABLE message;
DROP TABLE turn;
DROP TABLE conversation;
DROP TABLE person_identity;
DROP TABLE person;
