-- +goose Up
-- day counts days since 1970-01-01, in UTC.
CREATE TABLE guest_days (
    instance_id TEXT    NOT NULL,
    day         INTEGER NOT NULL,
    guests      INTEGER NOT NULL,
    PRIMARY KEY (instance_id, day)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE guest_days;
