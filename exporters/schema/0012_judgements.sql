-- What became of asking an evaluator about a task: what it scored is in evaluations, what it cost and why it did not is here.
CREATE TABLE IF NOT EXISTS judgements
(
    task_id String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    evaluator LowCardinality(String) CODEC(ZSTD(1)),
    evaluator_type LowCardinality(String) CODEC(ZSTD(1)),
    outcome LowCardinality(String) CODEC(ZSTD(1)),
    attempts UInt8 CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    calls UInt8 CODEC(ZSTD(1)),
    input_tokens UInt64 CODEC(ZSTD(1)),
    output_tokens UInt64 CODEC(ZSTD(1)),
    cost_usd Nullable(Decimal(18, 12)) CODEC(ZSTD(1)),
    comment String CODEC(ZSTD(1)),
    judged_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    INDEX idx_judged_at judged_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (task_id, evaluator)
SETTINGS non_replicated_deduplication_window = 10000;
