-- +goose Up
-- The few that are removed, found without a look at the many that are not.
DROP INDEX instances_removed_at;
CREATE INDEX instances_removed_at ON instances (removed_at) WHERE removed_at IS NOT NULL;

-- +goose Down
DROP INDEX instances_removed_at;
CREATE INDEX instances_removed_at ON instances (removed_at);
