-- When a task was stored, by the store's own clock: jobs that go by what has changed ask for what came since.
ALTER TABLE tasks
    ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3) CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS idx_stored_at stored_at TYPE minmax GRANULARITY 1;
