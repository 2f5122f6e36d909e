-- Who judged which task and how: a second judgement of the same task, evaluator and criterion replaces the first.
CREATE TABLE IF NOT EXISTS evaluations
(
    evaluation_id String CODEC(ZSTD(1)),
    target String CODEC(ZSTD(1)),
    task_id String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    evaluator String CODEC(ZSTD(1)),
    evaluator_type LowCardinality(String) CODEC(ZSTD(1)),
    criterion LowCardinality(String) CODEC(ZSTD(1)),
    score Float64 CODEC(ZSTD(1)),
    rating Nullable(Float64) CODEC(ZSTD(1)),
    comment String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    cost_usd Nullable(Decimal(18, 12)) CODEC(ZSTD(1)),
    source LowCardinality(String) CODEC(ZSTD(1)),
    evaluated_at DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    INDEX idx_task_id task_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_target target TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_received_at received_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY evaluation_id
SETTINGS non_replicated_deduplication_window = 10000;
