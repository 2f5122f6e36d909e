-- An alert's present state: one row a cause, from the moment that it is looked at more closely until it is over, and after.
CREATE TABLE IF NOT EXISTS alerts
(
    alert_id String CODEC(ZSTD(1)),
    key String CODEC(ZSTD(1)),
    rule LowCardinality(String) CODEC(ZSTD(1)),
    severity LowCardinality(String) CODEC(ZSTD(1)),
    status LowCardinality(String) CODEC(ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    scope String CODEC(ZSTD(1)),
    title String CODEC(ZSTD(1)),
    evidence String CODEC(ZSTD(1)),
    recommended_action String CODEC(ZSTD(1)),
    cause String CODEC(ZSTD(1)),
    started_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    pending_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    fired_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    acknowledged_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    acknowledged_by String CODEC(ZSTD(1)),
    clear_since Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    resolved_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    resolved_by String CODEC(ZSTD(1)),
    silenced Bool CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    INDEX idx_started_at started_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY alert_id
SETTINGS non_replicated_deduplication_window = 10000;

-- What happened to alerts. The id says to which alert and what, so that the same said twice is there once.
CREATE TABLE IF NOT EXISTS alert_events
(
    event_id String CODEC(ZSTD(1)),
    alert_id String CODEC(ZSTD(1)),
    event LowCardinality(String) CODEC(ZSTD(1)),
    status LowCardinality(String) CODEC(ZSTD(1)),
    severity LowCardinality(String) CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    by String CODEC(ZSTD(1)),
    note String CODEC(ZSTD(1)),
    silenced Bool CODEC(ZSTD(1)),
    INDEX idx_at at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY event_id
SETTINGS non_replicated_deduplication_window = 10000;

-- Rules as people have edited them, over those that are shipped and those of the settings; a rule is JSON.
CREATE TABLE IF NOT EXISTS alert_rules
(
    name String CODEC(ZSTD(1)),
    rule String CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY name
SETTINGS non_replicated_deduplication_window = 10000;

-- When nobody wants to be told of which alerts; the scope is JSON.
CREATE TABLE IF NOT EXISTS silences
(
    silence_id String CODEC(ZSTD(1)),
    scope String CODEC(ZSTD(1)),
    starts_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    ends_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    by String CODEC(ZSTD(1)),
    note String CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY silence_id
SETTINGS non_replicated_deduplication_window = 10000;
