-- How long model calls take, by model and provider only: to put sketches of durations together takes longest of all that is asked of
-- models, and there is one for each row. Made of model_hourly and model_daily, whenever these are; what is chosen by agent,
-- category, department or service is read from those.
CREATE TABLE IF NOT EXISTS model_work_hourly
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    durations AggregateFunction(quantilesDD(0.005, 0.5, 0.95), Float64) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    is_call Bool ALIAS true,
    agent_id String ALIAS '',
    category String ALIAS '',
    department String ALIAS '',
    service_name String ALIAS ''
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (at, provider, model)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS model_work_daily
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    durations AggregateFunction(quantilesDD(0.005, 0.5, 0.95), Float64) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    is_call Bool ALIAS true,
    agent_id String ALIAS '',
    category String ALIAS '',
    department String ALIAS '',
    service_name String ALIAS ''
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (at, provider, model)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS model_work_hours AS SELECT * EXCEPT (version, is_deleted) FROM model_work_hourly FINAL;
CREATE VIEW IF NOT EXISTS model_work_days AS SELECT * EXCEPT (version, is_deleted) FROM model_work_daily FINAL;

-- What has been added up before, in little memory: there may be millions of sketches.
INSERT INTO model_work_hourly (at, provider, model, durations, version, is_deleted)
SELECT at, provider, model, quantilesDDMergeState(0.005, 0.5, 0.95)(h.durations), max(h.version), 0
FROM model_hourly AS h FINAL
WHERE is_call
GROUP BY at, provider, model
SETTINGS max_threads = 1, max_block_size = 2048, max_bytes_before_external_group_by = 200000000, max_insert_block_size = 16384,
    min_insert_block_size_rows = 16384, min_insert_block_size_bytes = 0;

INSERT INTO model_work_daily (at, provider, model, durations, version, is_deleted)
SELECT at, provider, model, quantilesDDMergeState(0.005, 0.5, 0.95)(d.durations), max(d.version), 0
FROM model_daily AS d FINAL
WHERE is_call
GROUP BY at, provider, model
SETTINGS max_threads = 1, max_block_size = 2048, max_bytes_before_external_group_by = 200000000, max_insert_block_size = 16384,
    min_insert_block_size_rows = 16384, min_insert_block_size_bytes = 0;
