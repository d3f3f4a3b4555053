-- Which runs of periodic tasks were begun: whoever adds the row of a run does it, and nobody else.
CREATE TABLE periodic_run (
    task text NOT NULL,
    -- 0 where a run is for all companies
    company_id bigint NOT NULL DEFAULT 0,
    -- the beginning of the time the run is for
    slot timestamptz NOT NULL,
    -- the process that does it
    runner text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (task, company_id, slot)
);
CREATE INDEX periodic_run_open ON periodic_run (task, company_id) WHERE finished_at IS NULL;
CREATE INDEX periodic_run_started ON periodic_run (started_at);
