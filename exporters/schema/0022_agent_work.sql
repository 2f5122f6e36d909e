-- Who worked when and how long it took, in as few rows as will do: to put sketches of durations together takes longest of all that a
-- ranking asks for, and there is one for each row. Hours are kept whatever the category, days both so and by category, so that
-- who asks for one category reads that one. Made of agent_hourly and agent_daily, whenever these are.
CREATE TABLE IF NOT EXISTS agent_work_hourly
(
    by_category Bool CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    agent_name LowCardinality(String) CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    ended UInt64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantileDDIf(0.005, 0.95), Float64, UInt8) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    moment DateTime64(9, 'UTC') ALIAS toDateTime64(at, 9, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (by_category, category, at, agent_id, department, service_name)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS agent_work_daily
(
    by_category Bool CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    agent_name LowCardinality(String) CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    ended UInt64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantileDDIf(0.005, 0.95), Float64, UInt8) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    moment DateTime64(9, 'UTC') ALIAS toDateTime64(at, 9, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (by_category, category, at, agent_id, department, service_name)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS agent_work_hours AS SELECT * EXCEPT (version, is_deleted) FROM agent_work_hourly FINAL;
CREATE VIEW IF NOT EXISTS agent_work_days AS SELECT * EXCEPT (version, is_deleted) FROM agent_work_daily FINAL;

-- So that one question fits hours of either kind.
ALTER TABLE agent_hourly
    ADD COLUMN IF NOT EXISTS by_category Bool ALIAS true,
    ADD COLUMN IF NOT EXISTS ended UInt64 ALIAS succeeded + failed;

-- What has been added up before, in little memory: there may be millions of sketches.
INSERT INTO agent_work_hourly
    (by_category, category, at, agent_id, department, service_name, agent_name, first_started, last_started, ended, duration_least,
     duration_most, durations, version, is_deleted)
SELECT
    false, '', at, agent_id, department, service_name, argMax(h.agent_name, (h.agent_name != '', h.last_started)), min(h.first_started),
    max(h.last_started), sum(h.succeeded + h.failed), min(h.duration_least), max(h.duration_most),
    quantileDDIfMergeState(0.005, 0.95)(h.durations), max(h.version), 0
FROM agent_hourly AS h FINAL
GROUP BY at, agent_id, department, service_name
SETTINGS max_threads = 1, max_block_size = 2048, max_bytes_before_external_group_by = 200000000, max_insert_block_size = 16384,
    min_insert_block_size_rows = 16384, min_insert_block_size_bytes = 0;

INSERT INTO agent_work_daily
    (by_category, category, at, agent_id, department, service_name, agent_name, first_started, last_started, ended, duration_least,
     duration_most, durations, version, is_deleted)
SELECT
    of_category, if(of_category, d.category, '') AS kind, at, agent_id, department, service_name,
    argMax(d.agent_name, (d.agent_name != '', d.last_started)), min(d.first_started), max(d.last_started), sum(d.succeeded + d.failed),
    min(d.duration_least), max(d.duration_most), quantileDDIfMergeState(0.005, 0.95)(d.durations), max(d.version), 0
FROM (SELECT * FROM agent_daily FINAL) AS d
ARRAY JOIN [false, true] AS of_category
GROUP BY at, agent_id, department, service_name, of_category, kind
SETTINGS max_threads = 1, max_block_size = 2048, max_bytes_before_external_group_by = 200000000, max_insert_block_size = 16384,
    min_insert_block_size_rows = 16384, min_insert_block_size_bytes = 0;
