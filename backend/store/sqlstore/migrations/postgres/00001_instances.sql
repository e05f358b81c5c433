-- +goose Up
-- Times are Unix milliseconds. settings and profile are JSON, so that they can grow
-- without a migration; text keeps what jsonb refuses, such as \u0000. Ids sort byte by
-- byte whatever the database's collation, as they do in SQLite.
CREATE TABLE instances (
    id               TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    site_id          TEXT   NOT NULL,
    first_seen       BIGINT NOT NULL,
    last_seen        BIGINT NOT NULL,
    settings         TEXT   NOT NULL,
    settings_version BIGINT NOT NULL,
    profile          TEXT,
    profile_at       BIGINT
);

-- +goose Down
DROP TABLE instances;
