-- Who is there, kept for ever: what their tasks say of them, and what people say, each written by one alone.
CREATE TABLE IF NOT EXISTS agents
(
    agent_id String CODEC(ZSTD(1)),
    agent_name LowCardinality(String) CODEC(ZSTD(1)),
    agent_type LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    capabilities Array(LowCardinality(String)) CODEC(ZSTD(1)),
    services Array(LowCardinality(String)) CODEC(ZSTD(1)),
    models Nested
    (
        model LowCardinality(String),
        since DateTime64(9, 'UTC'),
        last_seen DateTime64(9, 'UTC')
    ) CODEC(ZSTD(1)),
    first_seen DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_seen DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY agent_id
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS agent_edits
(
    agent_id String CODEC(ZSTD(1)),
    field LowCardinality(String) CODEC(ZSTD(1)),
    value Array(String) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (agent_id, field)
SETTINGS non_replicated_deduplication_window = 10000;

-- The registry as it is to be read: what a person has set goes before what spans say.
CREATE VIEW IF NOT EXISTS known_agents AS
SELECT
    seen.agent_id AS agent_id,
    seen.agent_name AS agent_name,
    edits.nickname AS nickname,
    if(has(edits.fields, 'agent_type'), edits.said_type, seen.agent_type) AS agent_type,
    if(has(edits.fields, 'department'), edits.said_department, seen.department) AS department,
    if(has(edits.fields, 'capabilities'), edits.said_capabilities, seen.capabilities) AS capabilities,
    edits.fields AS edited,
    seen.services AS services,
    seen.models.model AS models,
    seen.models.since AS models_since,
    seen.models.last_seen AS models_last_seen,
    seen.first_seen AS first_seen,
    seen.last_seen AS last_seen
FROM (SELECT * FROM agents FINAL) AS seen
LEFT JOIN
(
    SELECT
        agent_id,
        groupArray(toString(field)) AS fields,
        anyIf(value[1], field = 'nickname') AS nickname,
        anyIf(value[1], field = 'agent_type') AS said_type,
        anyIf(value[1], field = 'department') AS said_department,
        anyIf(value, field = 'capabilities') AS said_capabilities
    FROM agent_edits FINAL
    GROUP BY agent_id
) AS edits ON edits.agent_id = seen.agent_id
SETTINGS join_use_nulls = 0;

ALTER TABLE tasks ADD COLUMN IF NOT EXISTS capabilities LowCardinality(String) CODEC(ZSTD(1)) AFTER decision_id;
