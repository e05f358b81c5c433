-- +goose Up
-- day counts days since 1970-01-01, in UTC.
CREATE TABLE guest_days (
    instance_id TEXT COLLATE "C" NOT NULL,
    day         BIGINT           NOT NULL,
    guests      BIGINT           NOT NULL,
    PRIMARY KEY (instance_id, day)
);

-- +goose Down
DROP TABLE guest_days;
