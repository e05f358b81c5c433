-- +goose Up
-- This may take longer than a request.
SET LOCAL statement_timeout = 0;
-- due is 0 for what is due at once, by whatever clock. stamp is since when that is so; of any
-- other job it is when due was set, for a time of rest. A removal is urgent.
ALTER TABLE jobs ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN stamp  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN rest   BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET urgent = 1 WHERE state = 'pending' AND event LIKE '{"kind":"removed"%';
UPDATE jobs SET stamp = COALESCE(received_at, due) WHERE state = 'pending';

-- One index for each question that is asked of the queue, over the few rows it is about.
CREATE INDEX jobs_events ON jobs (urgent, instance_id, received_at, id)
    WHERE state = 'pending' AND due = 0 AND event IS NOT NULL;
CREATE INDEX jobs_refreshes ON jobs (stamp, id)
    WHERE state = 'pending' AND due = 0 AND event IS NULL;
CREATE INDEX jobs_leased ON jobs (instance_id)
    WHERE state = 'pending' AND due = lease AND event IS NOT NULL;
CREATE INDEX jobs_resting ON jobs (due) WHERE state = 'pending' AND due > 0;
CREATE INDEX jobs_dead ON jobs (instance_id) WHERE state = 'dead';
CREATE INDEX jobs_done ON jobs (received_at) WHERE state = 'done';
DROP INDEX jobs_state_due;

-- The instances that were purged, by the SHA-256 of their ids, with the time of the last
-- thing that was known of them: what is older must not bring them back.
CREATE TABLE nametag_purged (
    instance TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    known_at BIGINT NOT NULL,
    removed  INTEGER NOT NULL
);

-- +goose Down
DROP TABLE nametag_purged;
CREATE INDEX jobs_state_due ON jobs (state, due);
DROP INDEX jobs_done;
DROP INDEX jobs_dead;
DROP INDEX jobs_resting;
DROP INDEX jobs_leased;
DROP INDEX jobs_refreshes;
DROP INDEX jobs_events;
ALTER TABLE jobs DROP COLUMN rest;
ALTER TABLE jobs DROP COLUMN stamp;
ALTER TABLE jobs DROP COLUMN urgent;
