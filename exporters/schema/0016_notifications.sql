-- What became of telling a route of what happened to an alert: waiting, sending (under which key), delivered or given up.
CREATE TABLE IF NOT EXISTS notifications
(
    route LowCardinality(String) CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    alert_id String CODEC(ZSTD(1)),
    event LowCardinality(String) CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    status LowCardinality(String) CODEC(ZSTD(1)),
    key String CODEC(ZSTD(1)),
    tries UInt32 CODEC(ZSTD(1)),
    next_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    delivered_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    error String CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    INDEX idx_at at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (route, event_id)
SETTINGS non_replicated_deduplication_window = 10000;
