DROP INDEX timer_freed;
