-- What is expected of a task by the type of its agent and its complexity (0: any). Version 0 is shipped; a person's is later.
CREATE TABLE IF NOT EXISTS benchmarks
(
    agent_type LowCardinality(String) CODEC(ZSTD(1)),
    complexity UInt8 CODEC(ZSTD(1)),
    expected_duration_seconds Nullable(Float64) CODEC(ZSTD(1)),
    expected_cost_usd Nullable(Decimal(18, 12)) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (agent_type, complexity)
SETTINGS non_replicated_deduplication_window = 10000;

-- Cognitive 1-5 s, tool maker 3-10 s, orchestrator 0.5-2 s: even steps from complexity 1 to 5, of any complexity the middle.
INSERT INTO benchmarks
SELECT
    said.1 AS agent_type,
    complexity,
    if(complexity = 0, (said.2 + said.3) / 2, said.2 + (said.3 - said.2) * (complexity - 1) / 4) AS expected_duration_seconds,
    NULL AS expected_cost_usd,
    0 AS version,
    0 AS is_deleted
FROM (SELECT arrayJoin([('cognitive', 1., 5.), ('tool_maker', 3., 10.), ('orchestrator', 0.5, 2.)]) AS said) AS shipped
CROSS JOIN (SELECT toUInt8(number) AS complexity FROM numbers(6)) AS complexities;
