-- Sums of each length are read by a question of their own, so that what whole days show can be kept while the newest minutes move.

-- The version at which hours, and days, that were over were last added up anew.
ALTER TABLE scoring_progress
    ADD COLUMN IF NOT EXISTS hours_version UInt64,
    ADD COLUMN IF NOT EXISTS days_version UInt64;

-- What only tasks have, so that one question fits all of them.
ALTER TABLE agent_minutely
    ADD COLUMN IF NOT EXISTS moment DateTime64(9, 'UTC') ALIAS toDateTime64(at, 9, 'UTC'),
    ADD COLUMN IF NOT EXISTS user_id String ALIAS '',
    ADD COLUMN IF NOT EXISTS models Array(String) ALIAS emptyArrayString(),
    ADD COLUMN IF NOT EXISTS task_id String ALIAS '';

ALTER TABLE agent_hourly
    ADD COLUMN IF NOT EXISTS moment DateTime64(9, 'UTC') ALIAS toDateTime64(at, 9, 'UTC'),
    ADD COLUMN IF NOT EXISTS user_id String ALIAS '',
    ADD COLUMN IF NOT EXISTS models Array(String) ALIAS emptyArrayString(),
    ADD COLUMN IF NOT EXISTS task_id String ALIAS '';

ALTER TABLE agent_daily
    ADD COLUMN IF NOT EXISTS moment DateTime64(9, 'UTC') ALIAS toDateTime64(at, 9, 'UTC'),
    ADD COLUMN IF NOT EXISTS user_id String ALIAS '',
    ADD COLUMN IF NOT EXISTS models Array(String) ALIAS emptyArrayString(),
    ADD COLUMN IF NOT EXISTS task_id String ALIAS '';

CREATE VIEW IF NOT EXISTS measured_tasks AS SELECT *, started_at AS moment FROM task_measures;

DROP VIEW IF EXISTS agent_work;
