-- Acts on control rows. Append-only: no role but the owner may change or delete, and the chain shows it if that happens.
-- No foreign key: the record of a company outlives the company.
CREATE TABLE audit_log (
    company_id bigint NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    actor_type text NOT NULL CHECK (actor_type IN ('operator', 'system', 'user', 'api')),
    action text NOT NULL,
    resource text NOT NULL,
    ip text,
    correlation_id text NOT NULL,
    detail jsonb NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (company_id, seq)
);
