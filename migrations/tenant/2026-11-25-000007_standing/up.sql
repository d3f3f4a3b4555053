-- Who attends to a conversation, and what else it stands in: a small value that the conversation's own lane writes, beside
-- it the parts that lists are made of.
ALTER TABLE conversation
    ADD COLUMN standing jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN attendant text NOT NULL GENERATED ALWAYS AS (coalesce(standing ->> 'attendant', 'assistant')) STORED
        CHECK (attendant IN ('assistant', 'waiting', 'team', 'resolved')),
    ADD COLUMN urgent boolean NOT NULL GENERATED ALWAYS AS (coalesce((standing ->> 'urgent')::boolean, false)) STORED;
CREATE INDEX conversation_attended ON conversation (attendant) WHERE attendant IN ('waiting', 'team');

-- Who wants no messages we begin. The log beside it says when and how each wish was told; rows are only added.
ALTER TABLE person ADD COLUMN opted_out_at timestamptz;
CREATE TABLE consent (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    -- messages: anything we begin; follow_up: being asked after a visit
    kind text NOT NULL CHECK (kind IN ('messages', 'follow_up')),
    granted boolean NOT NULL,
    -- where it was told: the message's id, or the operator's act
    source text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX consent_person ON consent (person_id, at);

-- What the customer wanted, and in what mood: from -1 to 1.
ALTER TABLE turn ADD COLUMN intention text NOT NULL DEFAULT 'other', ADD COLUMN mood real NOT NULL DEFAULT 0;
