-- Acts on this company's data. The company's role may append and read, never change: see the grants of the wall.
CREATE TABLE audit_log (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    actor_type text NOT NULL CHECK (actor_type IN ('operator', 'system', 'user', 'api')),
    action text NOT NULL,
    resource text NOT NULL,
    ip text,
    correlation_id text NOT NULL,
    detail jsonb NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL
);
