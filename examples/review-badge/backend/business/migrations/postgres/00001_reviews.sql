-- +goose Up
CREATE TABLE reviews (
    id          TEXT    NOT NULL PRIMARY KEY,
    instance_id TEXT    NOT NULL,
    stars       INTEGER NOT NULL,
    at          BIGINT  NOT NULL -- milliseconds since 1970
);
CREATE INDEX reviews_instance_id ON reviews (instance_id);

-- +goose Down
DROP TABLE reviews;
