-- Model calls, and what else was paid for: of each task by minute, model and provider, and what is added up of them by hour and
-- day. Each row can be worked out again from nodes and scores; nodes are kept for a month, these rows for a year.

-- When a step was stored, by the store's own clock: calls are added up again where steps have changed.
ALTER TABLE nodes
    ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3) CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS idx_stored_at stored_at TYPE minmax GRANULARITY 1;

ALTER TABLE nodes MATERIALIZE COLUMN stored_at SETTINGS mutations_sync = 1;

ALTER TABLE scoring_progress ADD COLUMN IF NOT EXISTS calls_until DateTime64(3, 'UTC') AFTER evaluations_until;

-- `is_call` is false of what was paid for and is no model call. `of_model` is 1 in the first row of the task for its model,
-- `of_provider` for its provider, `of_pair` for both: a task counts once for each. Its `quality` is by the profile `default`.
CREATE TABLE IF NOT EXISTS task_calls
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    is_call Bool CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    calls UInt64 CODEC(ZSTD(1)),
    succeeded UInt64 CODEC(ZSTD(1)),
    input_tokens UInt64 CODEC(ZSTD(1)),
    output_tokens UInt64 CODEC(ZSTD(1)),
    cached_input_tokens UInt64 CODEC(ZSTD(1)),
    cache_write_tokens UInt64 CODEC(ZSTD(1)),
    reasoning_tokens UInt64 CODEC(ZSTD(1)),
    cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    unpriced_calls UInt64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantilesDD(0.005, 0.5, 0.95), Float64) CODEC(ZSTD(1)),
    of_model UInt8 CODEC(ZSTD(1)),
    of_provider UInt8 CODEC(ZSTD(1)),
    of_pair UInt8 CODEC(ZSTD(1)),
    quality Nullable(Float64) CODEC(ZSTD(1)),
    nodes_stored_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    INDEX idx_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_nodes_stored_at nodes_stored_at TYPE minmax GRANULARITY 1,
    INDEX idx_version version TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(at)
ORDER BY (at, agent_id, trace_id, span_id, provider, model, is_call, service_name)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS model_hourly
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    is_call Bool CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    calls UInt64 CODEC(ZSTD(1)),
    succeeded UInt64 CODEC(ZSTD(1)),
    input_tokens UInt64 CODEC(ZSTD(1)),
    output_tokens UInt64 CODEC(ZSTD(1)),
    cached_input_tokens UInt64 CODEC(ZSTD(1)),
    cache_write_tokens UInt64 CODEC(ZSTD(1)),
    reasoning_tokens UInt64 CODEC(ZSTD(1)),
    cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    unpriced_calls UInt64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantilesDD(0.005, 0.5, 0.95), Float64) CODEC(ZSTD(1)),
    model_tasks UInt64 CODEC(ZSTD(1)),
    model_rated UInt64 CODEC(ZSTD(1)),
    model_quality Float64 CODEC(ZSTD(1)),
    provider_tasks UInt64 CODEC(ZSTD(1)),
    provider_rated UInt64 CODEC(ZSTD(1)),
    provider_quality Float64 CODEC(ZSTD(1)),
    pair_tasks UInt64 CODEC(ZSTD(1)),
    pair_rated UInt64 CODEC(ZSTD(1)),
    pair_quality Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (at, agent_id, provider, model, is_call, category, department, service_name)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS model_daily
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    is_call Bool CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    calls UInt64 CODEC(ZSTD(1)),
    succeeded UInt64 CODEC(ZSTD(1)),
    input_tokens UInt64 CODEC(ZSTD(1)),
    output_tokens UInt64 CODEC(ZSTD(1)),
    cached_input_tokens UInt64 CODEC(ZSTD(1)),
    cache_write_tokens UInt64 CODEC(ZSTD(1)),
    reasoning_tokens UInt64 CODEC(ZSTD(1)),
    cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    unpriced_calls UInt64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantilesDD(0.005, 0.5, 0.95), Float64) CODEC(ZSTD(1)),
    model_tasks UInt64 CODEC(ZSTD(1)),
    model_rated UInt64 CODEC(ZSTD(1)),
    model_quality Float64 CODEC(ZSTD(1)),
    provider_tasks UInt64 CODEC(ZSTD(1)),
    provider_rated UInt64 CODEC(ZSTD(1)),
    provider_quality Float64 CODEC(ZSTD(1)),
    pair_tasks UInt64 CODEC(ZSTD(1)),
    pair_rated UInt64 CODEC(ZSTD(1)),
    pair_quality Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (at, agent_id, provider, model, is_call, category, department, service_name)
SETTINGS non_replicated_deduplication_window = 10000;

-- A task's calls in a minute as what they add to a sum, and what only tasks can be chosen by.
CREATE VIEW IF NOT EXISTS call_measures AS
SELECT
    at, agent_id, provider, model, is_call, category, department, service_name,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, duration_least, duration_most, durations,
    of_model::UInt64 AS model_tasks,
    (of_model AND isNotNull(quality))::UInt64 AS model_rated,
    if(of_model, ifNull(quality, 0), 0)::Float64 AS model_quality,
    of_provider::UInt64 AS provider_tasks,
    (of_provider AND isNotNull(quality))::UInt64 AS provider_rated,
    if(of_provider, ifNull(quality, 0), 0)::Float64 AS provider_quality,
    of_pair::UInt64 AS pair_tasks,
    (of_pair AND isNotNull(quality))::UInt64 AS pair_rated,
    if(of_pair, ifNull(quality, 0), 0)::Float64 AS pair_quality,
    trace_id,
    user_id
FROM task_calls FINAL;

CREATE VIEW IF NOT EXISTS model_hours AS SELECT * EXCEPT (version, is_deleted) FROM model_hourly FINAL;
CREATE VIEW IF NOT EXISTS model_days AS SELECT * EXCEPT (version, is_deleted) FROM model_daily FINAL;

-- What was called and paid for from `since` until `until`, in as few rows as will do: whole days and hours in which none of
-- `cuts` lies, else single tasks. Users and traces are known of tasks only.
CREATE VIEW IF NOT EXISTS model_work AS
WITH
    (SELECT max((version, hourly_until)).2::DateTime('UTC') FROM scoring_progress) AS hours_until,
    (SELECT max((version, daily_until)).2::DateTime('UTC') FROM scoring_progress) AS days_until,
    arrayMap(c -> toDateTime(c, 'UTC'), {cuts:Array(DateTime64(9))}) AS cut_at,
    arrayMap(c -> toStartOfDay(c), arrayFilter(c -> c != toStartOfDay(c), cut_at)) AS cut_days,
    arrayMap(c -> toStartOfHour(c), arrayFilter(c -> c != toStartOfHour(c), cut_at)) AS cut_hours
SELECT *
FROM
(
    SELECT *, '' AS user_id
    FROM model_days
    WHERE NOT {by_task:Bool}
      AND at < days_until AND NOT has(cut_days, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT *, '' AS user_id
    FROM model_hours
    WHERE NOT {by_task:Bool}
      AND at < hours_until AND (at >= days_until OR has(cut_days, toStartOfDay(at))) AND NOT has(cut_hours, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT * EXCEPT (trace_id)
    FROM call_measures
    WHERE ({by_task:Bool} OR at >= hours_until OR has(cut_hours, toStartOfHour(at)))
      AND at >= toStartOfMinute({since:DateTime64(9)}) AND at < {until:DateTime64(9)}
      AND first_started >= {since:DateTime64(9)} AND first_started < {until:DateTime64(9)}
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
);
