-- Times that became free and that somebody who waits may still be asked about.
CREATE INDEX timer_freed ON timer (due_at) WHERE kind = 'freed' AND state = 'skipped';
