-- Requests to make an agent better: opened, approved, run, measured, closed. Of several rows the highest version counts.
CREATE TABLE IF NOT EXISTS optimizations
(
    optimization_id String CODEC(ZSTD(1)),
    optimizer LowCardinality(String) CODEC(ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    status LowCardinality(String) CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    measure LowCardinality(String) CODEC(ZSTD(1)),
    approval Bool CODEC(ZSTD(1)),
    cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    expected_improvement Nullable(Float64) CODEC(ZSTD(1)),
    requested_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    requested_by String CODEC(ZSTD(1)),
    decided_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    decided_by String CODEC(ZSTD(1)),
    note String CODEC(ZSTD(1)),
    started_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    ended_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    closed_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    tries UInt32 CODEC(ZSTD(1)),
    next_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    error String CODEC(ZSTD(1)),
    result String CODEC(ZSTD(1)),
    before String CODEC(ZSTD(1)),
    after String CODEC(ZSTD(1)),
    effect String CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY optimization_id
SETTINGS non_replicated_deduplication_window = 10000;
