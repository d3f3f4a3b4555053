-- Appointments, from the wish that holds a time to what became of the visit. The row is written before any calendar
-- outside is asked, and its id is the intent that the calendar keeps with the booking.
CREATE TABLE appointment (
    id uuid PRIMARY KEY,
    -- nobody we know, when it was booked elsewhere
    person_id uuid REFERENCES person ON DELETE SET NULL,
    conversation_id uuid REFERENCES conversation ON DELETE SET NULL,
    -- which service and professional, and their names as booked
    service_id uuid REFERENCES catalog ON DELETE SET NULL,
    service text NOT NULL DEFAULT '',
    professional_id uuid REFERENCES catalog ON DELETE SET NULL,
    professional text NOT NULL DEFAULT '',
    -- what cannot be in two places: a professional, the house, an event type of a calendar outside
    resource text NOT NULL,
    -- its place on the resource, from 0; none where only the calendar outside knows how many fit
    seat smallint CHECK (seat >= 0),
    -- others may come to the same service at the same time
    shared boolean NOT NULL DEFAULT false,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    -- with the time before and after that nobody else may have
    busy_from timestamptz NOT NULL,
    busy_to timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN
        -- on the way: offered and kept; being booked; given up before it was one
        ('held', 'booking', 'lapsed', 'failed',
        -- appointments
        'pending', 'confirmed', 'rescheduled', 'cancelled', 'rejected', 'no_show', 'attended')),
    -- who asked for it: chat, api, waitlist, or calendar (booked elsewhere)
    source text NOT NULL,
    -- the calendar outside: its id of the booking, of the kind of booking, and of the time it keeps for us
    external_uid text,
    event_type bigint,
    reservation_uid text,
    -- until when a held time is kept; of a failed booking, until when it is looked for all the same
    hold_until timestamptz,
    -- a move or cancelling that is on its way to the calendar outside
    wish jsonb,
    -- {"name", "phone", "email"} of whoever comes
    attendee jsonb NOT NULL DEFAULT '{}',
    -- {"place", "url"}
    meeting jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    -- why it was cancelled; who says that nobody came
    reason text,
    outcome_source text,
    -- when that which was last told of it happened, by the calendar's clock: older news changes nothing
    event_at timestamptz,
    -- grows with every change of time or state
    version integer NOT NULL DEFAULT 1,
    -- the chance that nobody comes, from 0 to 1
    risk real CHECK (risk BETWEEN 0 AND 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (starts_at < ends_at AND busy_from <= starts_at AND ends_at <= busy_to),
    CONSTRAINT appointment_seat EXCLUDE USING gist
        (resource WITH =, seat WITH =, tstzrange(busy_from, busy_to) WITH &&)
        WHERE (seat IS NOT NULL AND state IN ('held', 'booking', 'pending', 'confirmed', 'rescheduled'))
);
CREATE UNIQUE INDEX appointment_external ON appointment (external_uid) WHERE external_uid IS NOT NULL;
CREATE INDEX appointment_person ON appointment (person_id, starts_at);
CREATE INDEX appointment_starts ON appointment (starts_at);
-- What is not settled with the calendar outside.
CREATE INDEX appointment_unsettled ON appointment (updated_at)
    WHERE state IN ('held', 'booking') OR wish IS NOT NULL OR (state = 'failed' AND hold_until IS NOT NULL);

-- What is to be done at a time: once per appointment, its version, kind and name.
CREATE TABLE timer (
    id uuid PRIMARY KEY,
    -- reminder, no_show_check, follow_up, …
    kind text NOT NULL,
    -- which of its kind: 24h, 1h, …
    name text NOT NULL DEFAULT '',
    appointment_id uuid REFERENCES appointment ON DELETE CASCADE,
    version integer NOT NULL,
    person_id uuid REFERENCES person ON DELETE CASCADE,
    conversation_id uuid REFERENCES conversation ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('due', 'done', 'skipped', 'cancelled')),
    -- why it was skipped
    reason text,
    attempts integer NOT NULL DEFAULT 0,
    -- what was sent
    message_id uuid,
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX timer_once ON timer (appointment_id, version, kind, name);
CREATE INDEX timer_due ON timer (due_at) WHERE state = 'due';

-- Who waits for a time to become free.
CREATE TABLE waitlist (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    conversation_id uuid REFERENCES conversation ON DELETE CASCADE,
    service_id uuid REFERENCES catalog ON DELETE SET NULL,
    professional_id uuid REFERENCES catalog ON DELETE SET NULL,
    -- between which moments; and what else was said of the time
    earliest timestamptz NOT NULL,
    latest timestamptz NOT NULL,
    wanted jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('waiting', 'offered', 'taken', 'declined', 'expired', 'cancelled')),
    -- the time that is kept for them meanwhile, and until when they may take it
    offered_id uuid REFERENCES appointment ON DELETE SET NULL,
    offered_until timestamptz,
    offers integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (earliest < latest)
);
CREATE INDEX waitlist_open ON waitlist (created_at) WHERE state IN ('waiting', 'offered');

-- What the days so far say of the days to come, one row a day and kind.
CREATE TABLE scheduling_insights (
    id uuid PRIMARY KEY,
    day date NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX scheduling_insights_day ON scheduling_insights (kind, day);
