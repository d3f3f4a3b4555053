-- The ids a booking had at the calendar outside before it was moved: what is told late of one of them belongs to the
-- same appointment.
CREATE INDEX appointment_former ON appointment USING gin ((metadata -> 'former'));
