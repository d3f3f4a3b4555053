-- The tables of one company. They live in its own schema, reached only by its own role.

CREATE TABLE person (
    id uuid PRIMARY KEY,
    name text,
    -- who gave the name: the phone's profile, or the customer in words (which wins)
    name_source text CHECK (name_source IN ('channel', 'customer')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- All addresses of one person: canonical phone digits, hidden ids.
CREATE TABLE person_identity (
    kind text NOT NULL CHECK (kind IN ('phone', 'lid')),
    value text NOT NULL,
    person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX person_identity_person ON person_identity (person_id);

CREATE TABLE conversation (
    id uuid PRIMARY KEY,
    -- the message group: canonical phone digits or lid:…
    key text NOT NULL UNIQUE,
    person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    -- where answers go: the form of the number last received
    reply_address text NOT NULL,
    -- the claim that decided last; an older claim can no longer decide
    fence bigint NOT NULL,
    -- bounded window for resumption and export; the history itself is rows of message
    context_json jsonb,
    -- up to which moment that window goes
    context_at timestamptz,
    created_at timestamptz NOT NULL,
    last_message_at timestamptz NOT NULL
);

-- One decision: the answer to everything its messages say.
CREATE TABLE turn (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversation ON DELETE CASCADE,
    correlation_id text NOT NULL,
    decision text NOT NULL,
    reason text NOT NULL DEFAULT '',
    fence bigint NOT NULL,
    model text,
    tokens_in integer NOT NULL DEFAULT 0,
    tokens_out integer NOT NULL DEFAULT 0,
    tokens_estimated boolean NOT NULL DEFAULT false,
    injection_score real NOT NULL DEFAULT 0,
    messages_seen integer NOT NULL,
    preparations integer NOT NULL DEFAULT 1,
    model_ms integer NOT NULL DEFAULT 0,
    accepted_at timestamptz NOT NULL,
    claimed_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL
);
CREATE INDEX turn_conversation ON turn (conversation_id, decided_at);
CREATE INDEX turn_correlation ON turn (correlation_id);

-- Inbox and outbox in one: what the customer, the assistant and the team said.
CREATE TABLE message (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversation ON DELETE CASCADE,
    author text NOT NULL CHECK (author IN ('customer', 'assistant', 'team')),
    -- order within the conversation: microseconds, only growing
    seq bigint NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    was_cut boolean NOT NULL DEFAULT false,
    -- channel instance and provider message id: the last guard against deciding one message twice
    dedupe_key text,
    turn_id uuid REFERENCES turn ON DELETE CASCADE,
    correlation_id text NOT NULL,
    -- an answer replaced before it was ever sent
    superseded boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL
);
CREATE UNIQUE INDEX message_dedupe ON message (dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX message_history ON message (conversation_id, seq DESC);

-- The delivery log: one row per outgoing text.
CREATE TABLE delivery (
    id uuid PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES message ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversation ON DELETE CASCADE,
    turn_id uuid NOT NULL REFERENCES turn ON DELETE CASCADE,
    position smallint NOT NULL,
    recipient text NOT NULL,
    body text NOT NULL,
    correlation_id text NOT NULL,
    state text NOT NULL CHECK (state IN
        ('queued', 'sending', 'retry_wait', 'ambiguous', 'sent', 'delivered', 'read', 'dead', 'superseded')),
    attempts integer NOT NULL DEFAULT 0,
    -- times it was put on the wire again after an ambiguous outcome: 0 or 1
    resends integer NOT NULL DEFAULT 0,
    attempt_at timestamptz,
    next_at timestamptz,
    external_id text,
    error_code text,
    created_at timestamptz NOT NULL,
    sent_at timestamptz
);
CREATE INDEX delivery_unfinished ON delivery (conversation_id)
    WHERE state IN ('queued', 'sending', 'retry_wait', 'ambiguous');
CREATE INDEX delivery_turn ON delivery (turn_id);
CREATE INDEX delivery_external ON delivery (external_id) WHERE external_id IS NOT NULL;
