-- +goose Up
-- This may take longer than a request.
SET LOCAL statement_timeout = 0;
-- Ids have been compared byte by byte, as Wix sent them; from now on they are lower case.
-- Where both forms are stored already, neither is touched.
UPDATE instances SET id = lower(id) WHERE id IN (
    SELECT min(id) FROM instances GROUP BY lower(id)
    HAVING sum(CASE WHEN id = lower(id) THEN 1 ELSE 0 END) = 0
);
UPDATE instances SET site_id = lower(site_id) WHERE site_id <> lower(site_id);
UPDATE instances SET origin_id = lower(origin_id) WHERE origin_id <> lower(origin_id);
UPDATE jobs SET instance_id = lower(instance_id)
WHERE instance_id <> lower(instance_id) AND NOT EXISTS (SELECT 1 FROM instances WHERE instances.id = jobs.instance_id);

-- A reading from Wix is called a refresh now; there is one for each instance.
DELETE FROM jobs WHERE event IS NULL AND id NOT IN (
    SELECT max(id) FROM jobs WHERE event IS NULL GROUP BY instance_id
);
UPDATE jobs SET id = 'refresh:' || instance_id WHERE event IS NULL;

-- +goose Down
UPDATE jobs SET id = 'reread:' || instance_id WHERE event IS NULL;
