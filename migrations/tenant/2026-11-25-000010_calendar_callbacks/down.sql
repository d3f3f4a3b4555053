DROP INDEX appointment_former;
