-- Scores of tasks, sorted by time, and what is added up of them by minute, hour and day. Each row can be worked out again from
-- tasks, evaluations and medians.

-- A row's place (minute and agent) may change with the task: the job that scores then writes the old row as deleted.
CREATE TABLE IF NOT EXISTS task_scores
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    task_id String CODEC(ZSTD(1)),
    agent_name LowCardinality(String) CODEC(ZSTD(1)),
    agent_type LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    complexity UInt8 CODEC(ZSTD(1)),
    complexity_said Bool CODEC(ZSTD(1)),
    status LowCardinality(String) CODEC(ZSTD(1)),
    started_at DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    duration_seconds Float64 CODEC(ZSTD(1)),
    llm_calls UInt32 CODEC(ZSTD(1)),
    unpriced_calls UInt32 CODEC(ZSTD(1)),
    total_tokens UInt64 CODEC(ZSTD(1)),
    cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    models Array(LowCardinality(String)) CODEC(ZSTD(1)),
    usual_duration_seconds Nullable(Float64) CODEC(ZSTD(1)),
    usual_cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    judgements UInt32 CODEC(ZSTD(1)),
    accuracy Nullable(Float64) CODEC(ZSTD(1)),
    completeness Nullable(Float64) CODEC(ZSTD(1)),
    relevance Nullable(Float64) CODEC(ZSTD(1)),
    user_rating Nullable(Float64) CODEC(ZSTD(1)),
    peer_score Nullable(Float64) CODEC(ZSTD(1)),
    efficiency Nullable(Float64) CODEC(ZSTD(1)),
    speed Nullable(Float64) CODEC(ZSTD(1)),
    thrift Nullable(Float64) CODEC(ZSTD(1)),
    profiles Array(LowCardinality(String)) CODEC(ZSTD(1)),
    quality Array(Nullable(Float64)) CODEC(ZSTD(1)),
    overall Array(Nullable(Float64)) CODEC(ZSTD(1)),
    points Array(Nullable(Float64)) CODEC(ZSTD(1)),
    usual_version UInt64 CODEC(ZSTD(1)),
    scoring LowCardinality(String) CODEC(ZSTD(1)),
    task_version UInt64 CODEC(ZSTD(1)),
    task_stored_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1)),
    INDEX idx_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_task_stored_at task_stored_at TYPE minmax GRANULARITY 1,
    INDEX idx_version version TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(at)
ORDER BY (at, agent_id, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- What is usual in a category on a day: of the succeeded tasks of the 30 UTC days before it, null where there are too few.
CREATE TABLE IF NOT EXISTS medians
(
    category LowCardinality(String) CODEC(ZSTD(1)),
    day Date CODEC(Delta, ZSTD(1)),
    duration_tasks UInt64 CODEC(ZSTD(1)),
    usual_duration_seconds Nullable(Float64) CODEC(ZSTD(1)),
    cost_tasks UInt64 CODEC(ZSTD(1)),
    usual_cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (category, day)
SETTINGS non_replicated_deduplication_window = 10000;

-- How far scoring has come; of several rows the highest version counts.
CREATE TABLE IF NOT EXISTS scoring_progress
(
    id UInt8,
    tasks_until DateTime64(3, 'UTC'),
    evaluations_until DateTime64(3, 'UTC'),
    medians_until UInt64,
    medians_from Date,
    scoring String,
    hourly_until DateTime64(3, 'UTC'),
    daily_until DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 10000;

-- When an evaluation was stored, by the store's own clock, as tasks know it.
ALTER TABLE evaluations
    ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3) CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS idx_stored_at stored_at TYPE minmax GRANULARITY 1;

ALTER TABLE evaluations MATERIALIZE COLUMN stored_at SETTINGS mutations_sync = 1;

ALTER TABLE tasks MATERIALIZE COLUMN stored_at SETTINGS mutations_sync = 1;

-- The groups are agent, category, department, service and the complexity that users said (0 where they did not).
-- `x_n`, `x_sum` and `x_squares` are how many tasks have x, its sum and that of its squares. The lists have one value a profile.
CREATE TABLE IF NOT EXISTS agent_minutely
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    complexity UInt8 CODEC(ZSTD(1)),
    agent_name LowCardinality(String) CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    tasks UInt64 CODEC(ZSTD(1)),
    running UInt64 CODEC(ZSTD(1)),
    interrupted UInt64 CODEC(ZSTD(1)),
    succeeded UInt64 CODEC(ZSTD(1)),
    failed UInt64 CODEC(ZSTD(1)),
    llm_calls UInt64 CODEC(ZSTD(1)),
    unpriced_calls UInt64 CODEC(ZSTD(1)),
    total_tokens UInt64 CODEC(ZSTD(1)),
    total_cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    duration_sum Float64 CODEC(ZSTD(1)),
    duration_squares Float64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantileDDIf(0.005, 0.95), Float64, UInt8) CODEC(ZSTD(1)),
    speed_n UInt64 CODEC(ZSTD(1)),
    speed_sum Float64 CODEC(ZSTD(1)),
    speed_squares Float64 CODEC(ZSTD(1)),
    thrift_n UInt64 CODEC(ZSTD(1)),
    thrift_sum Float64 CODEC(ZSTD(1)),
    thrift_squares Float64 CODEC(ZSTD(1)),
    efficiency_n UInt64 CODEC(ZSTD(1)),
    efficiency_sum Float64 CODEC(ZSTD(1)),
    efficiency_squares Float64 CODEC(ZSTD(1)),
    ratio_n UInt64 CODEC(ZSTD(1)),
    ratio_sum Float64 CODEC(ZSTD(1)),
    ratio_squares Float64 CODEC(ZSTD(1)),
    speed_thrift_n UInt64 CODEC(ZSTD(1)),
    speed_thrift Float64 CODEC(ZSTD(1)),
    cost_n UInt64 CODEC(ZSTD(1)),
    cost_succeeded UInt64 CODEC(ZSTD(1)),
    cost_sum Float64 CODEC(ZSTD(1)),
    cost_squares Float64 CODEC(ZSTD(1)),
    cost_of_succeeded Float64 CODEC(ZSTD(1)),
    rated_tasks UInt64 CODEC(ZSTD(1)),
    rating_n UInt64 CODEC(ZSTD(1)),
    rating_sum Float64 CODEC(ZSTD(1)),
    accuracy_n UInt64 CODEC(ZSTD(1)),
    accuracy_sum Float64 CODEC(ZSTD(1)),
    completeness_n UInt64 CODEC(ZSTD(1)),
    completeness_sum Float64 CODEC(ZSTD(1)),
    relevance_n UInt64 CODEC(ZSTD(1)),
    relevance_sum Float64 CODEC(ZSTD(1)),
    profiles Array(LowCardinality(String)) CODEC(ZSTD(1)),
    quality_n Array(Float64) CODEC(ZSTD(1)),
    quality_sum Array(Float64) CODEC(ZSTD(1)),
    quality_squares Array(Float64) CODEC(ZSTD(1)),
    quality_succeeded Array(Float64) CODEC(ZSTD(1)),
    quality_of_succeeded Array(Float64) CODEC(ZSTD(1)),
    points_sum Array(Float64) CODEC(ZSTD(1)),
    points_squares Array(Float64) CODEC(ZSTD(1)),
    worth_n Array(Float64) CODEC(ZSTD(1)),
    worth_cost Array(Float64) CODEC(ZSTD(1)),
    worth_cost_squares Array(Float64) CODEC(ZSTD(1)),
    worth_sum Array(Float64) CODEC(ZSTD(1)),
    worth_squares Array(Float64) CODEC(ZSTD(1)),
    worth_cross Array(Float64) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toDate(at)
ORDER BY (at, agent_id, category, department, service_name, complexity)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS agent_hourly
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    complexity UInt8 CODEC(ZSTD(1)),
    agent_name LowCardinality(String) CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    tasks UInt64 CODEC(ZSTD(1)),
    running UInt64 CODEC(ZSTD(1)),
    interrupted UInt64 CODEC(ZSTD(1)),
    succeeded UInt64 CODEC(ZSTD(1)),
    failed UInt64 CODEC(ZSTD(1)),
    llm_calls UInt64 CODEC(ZSTD(1)),
    unpriced_calls UInt64 CODEC(ZSTD(1)),
    total_tokens UInt64 CODEC(ZSTD(1)),
    total_cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    duration_sum Float64 CODEC(ZSTD(1)),
    duration_squares Float64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantileDDIf(0.005, 0.95), Float64, UInt8) CODEC(ZSTD(1)),
    speed_n UInt64 CODEC(ZSTD(1)),
    speed_sum Float64 CODEC(ZSTD(1)),
    speed_squares Float64 CODEC(ZSTD(1)),
    thrift_n UInt64 CODEC(ZSTD(1)),
    thrift_sum Float64 CODEC(ZSTD(1)),
    thrift_squares Float64 CODEC(ZSTD(1)),
    efficiency_n UInt64 CODEC(ZSTD(1)),
    efficiency_sum Float64 CODEC(ZSTD(1)),
    efficiency_squares Float64 CODEC(ZSTD(1)),
    ratio_n UInt64 CODEC(ZSTD(1)),
    ratio_sum Float64 CODEC(ZSTD(1)),
    ratio_squares Float64 CODEC(ZSTD(1)),
    speed_thrift_n UInt64 CODEC(ZSTD(1)),
    speed_thrift Float64 CODEC(ZSTD(1)),
    cost_n UInt64 CODEC(ZSTD(1)),
    cost_succeeded UInt64 CODEC(ZSTD(1)),
    cost_sum Float64 CODEC(ZSTD(1)),
    cost_squares Float64 CODEC(ZSTD(1)),
    cost_of_succeeded Float64 CODEC(ZSTD(1)),
    rated_tasks UInt64 CODEC(ZSTD(1)),
    rating_n UInt64 CODEC(ZSTD(1)),
    rating_sum Float64 CODEC(ZSTD(1)),
    accuracy_n UInt64 CODEC(ZSTD(1)),
    accuracy_sum Float64 CODEC(ZSTD(1)),
    completeness_n UInt64 CODEC(ZSTD(1)),
    completeness_sum Float64 CODEC(ZSTD(1)),
    relevance_n UInt64 CODEC(ZSTD(1)),
    relevance_sum Float64 CODEC(ZSTD(1)),
    profiles Array(LowCardinality(String)) CODEC(ZSTD(1)),
    quality_n Array(Float64) CODEC(ZSTD(1)),
    quality_sum Array(Float64) CODEC(ZSTD(1)),
    quality_squares Array(Float64) CODEC(ZSTD(1)),
    quality_succeeded Array(Float64) CODEC(ZSTD(1)),
    quality_of_succeeded Array(Float64) CODEC(ZSTD(1)),
    points_sum Array(Float64) CODEC(ZSTD(1)),
    points_squares Array(Float64) CODEC(ZSTD(1)),
    worth_n Array(Float64) CODEC(ZSTD(1)),
    worth_cost Array(Float64) CODEC(ZSTD(1)),
    worth_cost_squares Array(Float64) CODEC(ZSTD(1)),
    worth_sum Array(Float64) CODEC(ZSTD(1)),
    worth_squares Array(Float64) CODEC(ZSTD(1)),
    worth_cross Array(Float64) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (at, agent_id, category, department, service_name, complexity)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS agent_daily
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    agent_id LowCardinality(String) CODEC(ZSTD(1)),
    category LowCardinality(String) CODEC(ZSTD(1)),
    department LowCardinality(String) CODEC(ZSTD(1)),
    service_name LowCardinality(String) CODEC(ZSTD(1)),
    complexity UInt8 CODEC(ZSTD(1)),
    agent_name LowCardinality(String) CODEC(ZSTD(1)),
    first_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_started DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    tasks UInt64 CODEC(ZSTD(1)),
    running UInt64 CODEC(ZSTD(1)),
    interrupted UInt64 CODEC(ZSTD(1)),
    succeeded UInt64 CODEC(ZSTD(1)),
    failed UInt64 CODEC(ZSTD(1)),
    llm_calls UInt64 CODEC(ZSTD(1)),
    unpriced_calls UInt64 CODEC(ZSTD(1)),
    total_tokens UInt64 CODEC(ZSTD(1)),
    total_cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    duration_sum Float64 CODEC(ZSTD(1)),
    duration_squares Float64 CODEC(ZSTD(1)),
    duration_least Float64 CODEC(ZSTD(1)),
    duration_most Float64 CODEC(ZSTD(1)),
    durations AggregateFunction(quantileDDIf(0.005, 0.95), Float64, UInt8) CODEC(ZSTD(1)),
    speed_n UInt64 CODEC(ZSTD(1)),
    speed_sum Float64 CODEC(ZSTD(1)),
    speed_squares Float64 CODEC(ZSTD(1)),
    thrift_n UInt64 CODEC(ZSTD(1)),
    thrift_sum Float64 CODEC(ZSTD(1)),
    thrift_squares Float64 CODEC(ZSTD(1)),
    efficiency_n UInt64 CODEC(ZSTD(1)),
    efficiency_sum Float64 CODEC(ZSTD(1)),
    efficiency_squares Float64 CODEC(ZSTD(1)),
    ratio_n UInt64 CODEC(ZSTD(1)),
    ratio_sum Float64 CODEC(ZSTD(1)),
    ratio_squares Float64 CODEC(ZSTD(1)),
    speed_thrift_n UInt64 CODEC(ZSTD(1)),
    speed_thrift Float64 CODEC(ZSTD(1)),
    cost_n UInt64 CODEC(ZSTD(1)),
    cost_succeeded UInt64 CODEC(ZSTD(1)),
    cost_sum Float64 CODEC(ZSTD(1)),
    cost_squares Float64 CODEC(ZSTD(1)),
    cost_of_succeeded Float64 CODEC(ZSTD(1)),
    rated_tasks UInt64 CODEC(ZSTD(1)),
    rating_n UInt64 CODEC(ZSTD(1)),
    rating_sum Float64 CODEC(ZSTD(1)),
    accuracy_n UInt64 CODEC(ZSTD(1)),
    accuracy_sum Float64 CODEC(ZSTD(1)),
    completeness_n UInt64 CODEC(ZSTD(1)),
    completeness_sum Float64 CODEC(ZSTD(1)),
    relevance_n UInt64 CODEC(ZSTD(1)),
    relevance_sum Float64 CODEC(ZSTD(1)),
    profiles Array(LowCardinality(String)) CODEC(ZSTD(1)),
    quality_n Array(Float64) CODEC(ZSTD(1)),
    quality_sum Array(Float64) CODEC(ZSTD(1)),
    quality_squares Array(Float64) CODEC(ZSTD(1)),
    quality_succeeded Array(Float64) CODEC(ZSTD(1)),
    quality_of_succeeded Array(Float64) CODEC(ZSTD(1)),
    points_sum Array(Float64) CODEC(ZSTD(1)),
    points_squares Array(Float64) CODEC(ZSTD(1)),
    worth_n Array(Float64) CODEC(ZSTD(1)),
    worth_cost Array(Float64) CODEC(ZSTD(1)),
    worth_cost_squares Array(Float64) CODEC(ZSTD(1)),
    worth_sum Array(Float64) CODEC(ZSTD(1)),
    worth_squares Array(Float64) CODEC(ZSTD(1)),
    worth_cross Array(Float64) CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (at, agent_id, category, department, service_name, complexity)
SETTINGS non_replicated_deduplication_window = 10000;

-- Each task as what it adds to a sum: the columns of agent_hourly, of one task, and what only tasks can be chosen by.
CREATE VIEW IF NOT EXISTS task_measures AS
SELECT
    at,
    agent_id,
    category,
    department,
    service_name,
    if(complexity_said, t.complexity, 0)::UInt8 AS complexity,
    agent_name,
    started_at AS first_started,
    started_at AS last_started,
    1::UInt64 AS tasks,
    (status = 'running')::UInt64 AS running,
    (status = 'interrupted')::UInt64 AS interrupted,
    (status = 'succeeded')::UInt64 AS succeeded,
    (status = 'failed')::UInt64 AS failed,
    t.llm_calls::UInt64 AS llm_calls,
    t.unpriced_calls::UInt64 AS unpriced_calls,
    total_tokens,
    cost_usd AS total_cost_usd,
    if(finished, duration_seconds, 0) AS duration_sum,
    if(finished, duration_seconds * duration_seconds, 0) AS duration_squares,
    if(finished, duration_seconds, inf) AS duration_least,
    if(finished, duration_seconds, 0) AS duration_most,
    initializeAggregation('quantileDDIfState(0.005, 0.95)', duration_seconds, finished::UInt8) AS durations,
    isNotNull(speed)::UInt64 AS speed_n,
    ifNull(speed, 0)::Float64 AS speed_sum,
    ifNull(speed * speed, 0)::Float64 AS speed_squares,
    isNotNull(thrift)::UInt64 AS thrift_n,
    ifNull(thrift, 0)::Float64 AS thrift_sum,
    ifNull(thrift * thrift, 0)::Float64 AS thrift_squares,
    isNotNull(efficiency)::UInt64 AS efficiency_n,
    ifNull(efficiency, 0)::Float64 AS efficiency_sum,
    ifNull(efficiency * efficiency, 0)::Float64 AS efficiency_squares,
    isNotNull(ratio)::UInt64 AS ratio_n,
    ifNull(ratio, 0)::Float64 AS ratio_sum,
    ifNull(ratio * ratio, 0)::Float64 AS ratio_squares,
    isNotNull(speed * thrift)::UInt64 AS speed_thrift_n,
    ifNull(speed * thrift, 0)::Float64 AS speed_thrift,
    priced::UInt64 AS cost_n,
    (priced AND ok)::UInt64 AS cost_succeeded,
    if(priced, cost, 0)::Float64 AS cost_sum,
    if(priced, cost * cost, 0)::Float64 AS cost_squares,
    if(priced AND ok, cost, 0)::Float64 AS cost_of_succeeded,
    (judgements > 0)::UInt64 AS rated_tasks,
    isNotNull(user_rating)::UInt64 AS rating_n,
    ifNull(user_rating, 0)::Float64 AS rating_sum,
    isNotNull(accuracy)::UInt64 AS accuracy_n,
    ifNull(accuracy, 0)::Float64 AS accuracy_sum,
    isNotNull(completeness)::UInt64 AS completeness_n,
    ifNull(completeness, 0)::Float64 AS completeness_sum,
    isNotNull(relevance)::UInt64 AS relevance_n,
    ifNull(relevance, 0)::Float64 AS relevance_sum,
    profiles,
    arrayMap(x -> toFloat64(isNotNull(x)), quality) AS quality_n,
    arrayMap(x -> ifNull(x, 0), quality) AS quality_sum,
    arrayMap(x -> ifNull(x * x, 0), quality) AS quality_squares,
    arrayMap(x -> toFloat64(isNotNull(x) AND ok), quality) AS quality_succeeded,
    arrayMap(x -> if(ok, ifNull(x, 0), 0), quality) AS quality_of_succeeded,
    arrayMap(x -> ifNull(x, 0), points) AS points_sum,
    arrayMap(x -> ifNull(x * x, 0), points) AS points_squares,
    arrayMap(x -> toFloat64(priced AND isNotNull(x)), overall) AS worth_n,
    arrayMap(x -> if(priced AND isNotNull(x), cost, 0), overall) AS worth_cost,
    arrayMap(x -> if(priced AND isNotNull(x), cost * cost, 0), overall) AS worth_cost_squares,
    arrayMap(x -> if(priced, ifNull(x, 0), 0), overall) AS worth_sum,
    arrayMap(x -> if(priced, ifNull(x * x, 0), 0), overall) AS worth_squares,
    arrayMap(x -> if(priced, ifNull(x * cost, 0), 0), overall) AS worth_cross,
    task_id,
    started_at,
    user_id,
    models
FROM
(
    SELECT
        *,
        status = 'succeeded' AS ok,
        status IN ('succeeded', 'failed') AS finished,
        ifNull(toFloat64(cost_usd), 0) AS cost,
        status != 'running' AND isNotNull(cost_usd) AS priced,
        if(ok AND usual_duration_seconds > 0, duration_seconds / usual_duration_seconds, NULL) AS ratio
    FROM task_scores FINAL
) AS t;

-- The sums as they are to be read.
CREATE VIEW IF NOT EXISTS agent_minutes AS SELECT * EXCEPT (version, is_deleted) FROM agent_minutely FINAL;
CREATE VIEW IF NOT EXISTS agent_hours AS SELECT * EXCEPT (version, is_deleted) FROM agent_hourly FINAL;
CREATE VIEW IF NOT EXISTS agent_days AS SELECT * EXCEPT (version, is_deleted) FROM agent_daily FINAL;

-- What agents did from `since` until `until`, in as few rows as will do: whole days, hours and minutes where none of `cuts`
-- lies within, else tasks. `segment` is how many cuts lie at or before; `since` and `until` are among them. Users, models and
-- providers are known of tasks only.
CREATE VIEW IF NOT EXISTS agent_work AS
WITH
    (SELECT max((version, hourly_until)).2::DateTime('UTC') FROM scoring_progress) AS hours_until,
    (SELECT max((version, daily_until)).2::DateTime('UTC') FROM scoring_progress) AS days_until,
    arrayMap(c -> toDateTime(c, 'UTC'), {cuts:Array(DateTime64(9))}) AS cut_at,
    arrayMap(c -> toStartOfDay(c), cut_at) AS cut_days,
    arrayMap(c -> toStartOfHour(c), cut_at) AS cut_hours,
    arrayMap(c -> toStartOfMinute(c), cut_at) AS cut_minutes,
    notEmpty({user_id:Array(String)}) OR notEmpty({model:Array(String)}) OR notEmpty({provider:Array(String)}) AS by_task
SELECT *, arrayCount(c -> c <= moment, {cuts:Array(DateTime64(9))})::UInt8 AS segment
FROM
(
    SELECT *, toDateTime64(at, 9, 'UTC') AS moment
    FROM agent_days
    WHERE NOT by_task
      AND at < days_until AND NOT has(cut_days, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT *, toDateTime64(at, 9, 'UTC') AS moment
    FROM agent_hours
    WHERE NOT by_task
      AND at < hours_until AND (at >= days_until OR has(cut_days, toStartOfDay(at))) AND NOT has(cut_hours, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT *, toDateTime64(at, 9, 'UTC') AS moment
    FROM agent_minutes
    WHERE NOT by_task
      AND at >= hours_until AND NOT has(cut_minutes, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT * EXCEPT (task_id, started_at, user_id, models), started_at AS moment
    FROM task_measures
    WHERE (by_task OR if(at < hours_until, has(cut_hours, toStartOfHour(at)), has(cut_minutes, at)))
      AND at >= toStartOfMinute({since:DateTime64(9)}) AND at < {until:DateTime64(9)}
      AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND (empty({model:Array(String)}) OR hasAny(models, {model:Array(String)}))
      AND (empty({provider:Array(String)}) OR task_id IN (
          SELECT task_id FROM nodes FINAL
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}))
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
);
