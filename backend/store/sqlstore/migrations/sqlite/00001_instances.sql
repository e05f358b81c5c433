-- +goose Up
-- Times are Unix milliseconds. settings and profile are JSON, so that they can grow without a migration.
CREATE TABLE instances (
    id               TEXT    NOT NULL PRIMARY KEY,
    site_id          TEXT    NOT NULL,
    first_seen       INTEGER NOT NULL,
    last_seen        INTEGER NOT NULL,
    settings         TEXT    NOT NULL,
    settings_version INTEGER NOT NULL,
    profile          TEXT,
    profile_at       INTEGER
);

-- +goose Down
DROP TABLE instances;
