-- Who was given which task and why, with everybody's chances; and what came of it where no task says so.
CREATE TABLE IF NOT EXISTS routing_decisions
(
    decision_id String CODEC(ZSTD(1)),
    decided_at DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String) CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    complexity UInt8 CODEC(ZSTD(1)),
    description String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    strategy LowCardinality(String) CODEC(ZSTD(1)),
    profile LowCardinality(String) CODEC(ZSTD(1)),
    quality_weight Float64 CODEC(ZSTD(1)),
    cost_weight Float64 CODEC(ZSTD(1)),
    speed_weight Float64 CODEC(ZSTD(1)),
    max_cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    max_duration_seconds Nullable(Float64) CODEC(ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    probability Float64 CODEC(ZSTD(1)),
    candidates Array(LowCardinality(String)) CODEC(ZSTD(1)),
    scores Array(Float32) CODEC(ZSTD(1)),
    deviations Array(Float32) CODEC(ZSTD(1)),
    probabilities Array(Float32) CODEC(ZSTD(1)),
    worths Array(Float32) CODEC(ZSTD(1)),
    successes Array(Float32) CODEC(ZSTD(1)),
    qualities Array(Float32) CODEC(ZSTD(1)),
    costs_usd Array(Float32) CODEC(ZSTD(1)),
    durations_seconds Array(Float32) CODEC(ZSTD(1)),
    load_penalties Array(Float32) CODEC(ZSTD(1)),
    cost_shares Array(Float32) CODEC(ZSTD(1)),
    duration_shares Array(Float32) CODEC(ZSTD(1)),
    barred_by Array(LowCardinality(String)) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3) CODEC(Delta, ZSTD(1)),
    INDEX idx_decided_at decided_at TYPE minmax GRANULARITY 1,
    INDEX idx_stored_at stored_at TYPE minmax GRANULARITY 1,
    INDEX idx_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY decision_id
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS routing_outcomes
(
    decision_id String CODEC(ZSTD(1)),
    success Nullable(Float64) CODEC(ZSTD(1)),
    quality Nullable(Float64) CODEC(ZSTD(1)),
    cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    duration_seconds Nullable(Float64) CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3) CODEC(Delta, ZSTD(1)),
    INDEX idx_stored_at stored_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY decision_id
SETTINGS non_replicated_deduplication_window = 10000;
