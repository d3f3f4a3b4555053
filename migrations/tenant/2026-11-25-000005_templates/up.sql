-- The company's own wordings: one for each place, which is what for, and for which intent and mood (empty: for any).
CREATE TABLE template (
    id uuid PRIMARY KEY,
    -- 'reply': around every answer; else the name of the ready text it replaces
    key text NOT NULL,
    intent text NOT NULL DEFAULT '',
    mood text NOT NULL DEFAULT '' CHECK (mood IN ('', 'pos', 'neg', 'neu')),
    body text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    -- grows with every change: who changes says which version they saw
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT template_place UNIQUE (key, intent, mood)
);

-- A/B tests of wordings. One runs at a place at a time.
CREATE TABLE experiment (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    key text NOT NULL,
    intent text NOT NULL DEFAULT '',
    mood text NOT NULL DEFAULT '' CHECK (mood IN ('', 'pos', 'neg', 'neu')),
    state text NOT NULL CHECK (state IN ('draft', 'running', 'stopped', 'promoted')),
    policy text NOT NULL CHECK (policy IN ('fixed', 'epsilon_greedy')),
    -- how often an epsilon-greedy experiment gives any variant instead of the best, 0 to 1
    epsilon double precision NOT NULL,
    goal text NOT NULL CHECK (goal IN ('response', 'conversion', 'feedback')),
    -- the least difference that matters, as a part of 1
    least_effect double precision NOT NULL,
    -- [{"name", "body", "weight"}]
    variants jsonb NOT NULL,
    -- the figures in the variants' order, as of counted_at
    counts jsonb NOT NULL DEFAULT '[]',
    counted_at timestamptz,
    -- the variant that became the wording
    winner text,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz
);
CREATE UNIQUE INDEX experiment_place ON experiment (key, intent, mood) WHERE state = 'running';

-- What happened with people, for figures. The rows go with the person's data.
CREATE TABLE event (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('impression', 'response', 'conversion', 'feedback')),
    at timestamptz NOT NULL,
    conversation_id uuid REFERENCES conversation ON DELETE CASCADE,
    person_id uuid REFERENCES person ON DELETE CASCADE,
    -- of an impression: whose it is, and the text that has to be delivered for it to count
    experiment_id uuid,
    variant text,
    delivery_id uuid,
    data jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX event_conversation ON event (conversation_id, at);
CREATE INDEX event_person ON event (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX event_experiment ON event (experiment_id) WHERE experiment_id IS NOT NULL;
CREATE INDEX event_kind ON event (kind, at);
