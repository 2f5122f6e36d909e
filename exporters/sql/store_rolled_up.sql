-- Add up the rows of {source} by spans of {width} seconds, those in which a task was scored after version {done}, and store the sums
-- in {into}, from {since} until {until}. `everything` adds up all.
INSERT INTO {into:Identifier}
(
    at, agent_id, category, department, service_name, complexity,
    agent_name, first_started, last_started, tasks, running, interrupted, succeeded, failed,
    llm_calls, unpriced_calls, total_tokens, total_cost_usd, duration_sum, duration_squares, duration_least, duration_most,
    durations, speed_n, speed_sum, speed_squares, thrift_n, thrift_sum, thrift_squares, efficiency_n,
    efficiency_sum, efficiency_squares, ratio_n, ratio_sum, ratio_squares, speed_thrift_n, speed_thrift, cost_n,
    cost_succeeded, cost_sum, cost_squares, cost_of_succeeded, rated_tasks, rating_n, rating_sum, accuracy_n,
    accuracy_sum, completeness_n, completeness_sum, relevance_n, relevance_sum, profiles, quality_n, quality_sum,
    quality_squares, quality_succeeded, quality_of_succeeded, points_sum, points_squares, worth_n, worth_cost, worth_cost_squares,
    worth_sum, worth_squares, worth_cross, version, is_deleted
)
SELECT
    bucket,
    agent_id, category, department, service_name, complexity,
    argMaxIf(source.agent_name, source.last_started, source.agent_name != ''),
    min(source.first_started),
    max(source.last_started),
    sum(source.tasks),
    sum(source.running),
    sum(source.interrupted),
    sum(source.succeeded),
    sum(source.failed),
    sum(source.llm_calls),
    sum(source.unpriced_calls),
    sum(source.total_tokens),
    sum(source.total_cost_usd),
    sum(source.duration_sum),
    sum(source.duration_squares),
    min(source.duration_least),
    max(source.duration_most),
    quantileDDIfMergeState(0.005, 0.95)(source.durations),
    sum(source.speed_n),
    sum(source.speed_sum),
    sum(source.speed_squares),
    sum(source.thrift_n),
    sum(source.thrift_sum),
    sum(source.thrift_squares),
    sum(source.efficiency_n),
    sum(source.efficiency_sum),
    sum(source.efficiency_squares),
    sum(source.ratio_n),
    sum(source.ratio_sum),
    sum(source.ratio_squares),
    sum(source.speed_thrift_n),
    sum(source.speed_thrift),
    sum(source.cost_n),
    sum(source.cost_succeeded),
    sum(source.cost_sum),
    sum(source.cost_squares),
    sum(source.cost_of_succeeded),
    sum(source.rated_tasks),
    sum(source.rating_n),
    sum(source.rating_sum),
    sum(source.accuracy_n),
    sum(source.accuracy_sum),
    sum(source.completeness_n),
    sum(source.completeness_sum),
    sum(source.relevance_n),
    sum(source.relevance_sum),
    (sumMap(source.profiles, source.quality_n, source.quality_sum, source.quality_squares, source.quality_succeeded, source.quality_of_succeeded, source.points_sum, source.points_squares, source.worth_n, source.worth_cost, source.worth_cost_squares, source.worth_sum, source.worth_squares, source.worth_cross) AS lists).1,
    lists.2,
    lists.3,
    lists.4,
    lists.5,
    lists.6,
    lists.7,
    lists.8,
    lists.9,
    lists.10,
    lists.11,
    lists.12,
    lists.13,
    lists.14,
    {version:UInt64},
    0
FROM
(
    SELECT *, toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC') AS bucket
    FROM {source:Identifier}
    WHERE at >= {since:DateTime} AND at < {until:DateTime}
      AND ({everything:Bool} OR {width:UInt32} > 86400 OR toStartOfDay(at) IN (SELECT toStartOfDay(at) FROM task_scores WHERE version > {done:UInt64}))
      AND ({everything:Bool} OR (bucket, agent_id) IN
      (
          SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id FROM task_scores WHERE version > {done:UInt64}
      ))
) AS source
GROUP BY bucket, agent_id, category, department, service_name, complexity
