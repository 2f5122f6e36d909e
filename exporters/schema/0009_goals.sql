-- What a team wants to achieve, for all work or that of one department.
CREATE TABLE IF NOT EXISTS goals
(
    goal LowCardinality(String) CODEC(ZSTD(1)),
    department String CODEC(ZSTD(1)),
    target Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (goal, department)
SETTINGS non_replicated_deduplication_window = 10000;
