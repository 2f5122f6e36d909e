-- Kinds of work as people have edited them, over those that are shipped and those of the settings.
CREATE TABLE IF NOT EXISTS objectives
(
    category String CODEC(ZSTD(1)),
    description String CODEC(ZSTD(1)),
    keywords Array(String) CODEC(ZSTD(1)),
    examples Array(String) CODEC(ZSTD(1)),
    criteria Array(String) CODEC(ZSTD(1)),
    recommended_agents Array(String) CODEC(ZSTD(1)),
    enabled Bool CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY category
SETTINGS non_replicated_deduplication_window = 10000;
