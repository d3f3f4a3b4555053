DROP TABLE installation;
DROP TABLE provisioning_step;
DROP TABLE company_secret;
DROP TABLE company_setting;
DROP TABLE company;
