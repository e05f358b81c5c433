-- +goose Up
-- A removal is remembered after the app has been installed again: a replica that missed it
-- must refuse the tokens from before it.
ALTER TABLE instances ADD COLUMN last_removed_at INTEGER;
UPDATE instances SET last_removed_at = removed_at WHERE removed_at IS NOT NULL;

-- +goose Down
ALTER TABLE instances DROP COLUMN last_removed_at;
