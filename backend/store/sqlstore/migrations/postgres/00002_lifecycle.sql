-- +goose Up
-- What webhooks tell of an instance. A time that is not known is NULL.
ALTER TABLE instances ADD COLUMN plan_at    BIGINT;
ALTER TABLE instances ADD COLUMN removed_at BIGINT;
ALTER TABLE instances ADD COLUMN status_at  BIGINT;
ALTER TABLE instances ADD COLUMN origin_id  TEXT NOT NULL DEFAULT '';
UPDATE instances SET plan_at = profile_at;
CREATE INDEX instances_removed_at ON instances (removed_at);

-- Work that is to survive a crash: events to apply, and readings, which have no event.
-- event is JSON, so that it can grow without a migration; payload is as it was received.
-- While a job is being tried, due is lease, which is when the latest lease ends.
CREATE TABLE jobs (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    instance_id TEXT COLLATE "C" NOT NULL,
    event       TEXT,
    payload     BYTEA,
    event_at    BIGINT,
    received_at BIGINT,
    state       TEXT    NOT NULL,
    due         BIGINT  NOT NULL,
    attempts    INTEGER NOT NULL,
    last_error  TEXT    NOT NULL,
    lease       BIGINT
);
CREATE INDEX jobs_state_due ON jobs (state, due);
CREATE INDEX jobs_instance_id ON jobs (instance_id);

-- +goose Down
DROP TABLE jobs;
DROP INDEX instances_removed_at;
ALTER TABLE instances DROP COLUMN origin_id;
ALTER TABLE instances DROP COLUMN status_at;
ALTER TABLE instances DROP COLUMN removed_at;
ALTER TABLE instances DROP COLUMN plan_at;
