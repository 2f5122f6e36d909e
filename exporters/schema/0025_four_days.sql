-- Sums of four days, made of those of days: of a month a question reads two fifths of the rows, of a year a quarter. Four days begin where
-- a multiple of them has passed since 1970. Those of before an upgrade are added up by the job that scores, which then says so.
CREATE TABLE IF NOT EXISTS agent_four_daily AS agent_daily
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (at, agent_id, category, department, service_name, complexity)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS agent_work_four_daily AS agent_work_daily
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (by_category, category, at, agent_id, department, service_name)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000;

-- They are kept until the last of their days has been kept long enough.
ALTER TABLE agent_four_daily ADD COLUMN IF NOT EXISTS last_day DateTime('UTC') MATERIALIZED at + toIntervalDay(3);
ALTER TABLE agent_work_four_daily ADD COLUMN IF NOT EXISTS last_day DateTime('UTC') MATERIALIZED at + toIntervalDay(3);

-- The days on which somebody worked, of which there is no other trace in sums of several.
ALTER TABLE agent_work_hourly ADD COLUMN IF NOT EXISTS days Array(Date) DEFAULT [toDate(at)] CODEC(ZSTD(1)) AFTER agent_name;
ALTER TABLE agent_work_daily ADD COLUMN IF NOT EXISTS days Array(Date) DEFAULT [toDate(at)] CODEC(ZSTD(1)) AFTER agent_name;
ALTER TABLE agent_work_four_daily ADD COLUMN IF NOT EXISTS days Array(Date) DEFAULT [toDate(at)] CODEC(ZSTD(1)) AFTER agent_name;
ALTER TABLE agent_hourly ADD COLUMN IF NOT EXISTS days Array(Date) ALIAS [toDate(at)];

CREATE VIEW IF NOT EXISTS agent_fours AS SELECT * EXCEPT (version, is_deleted) FROM agent_four_daily FINAL;
CREATE VIEW IF NOT EXISTS agent_work_fours AS SELECT * EXCEPT (version, is_deleted) FROM agent_work_four_daily FINAL;

ALTER TABLE scoring_progress ADD COLUMN IF NOT EXISTS fours_until DateTime64(3, 'UTC') AFTER daily_until;
