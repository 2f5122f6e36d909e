-- What was done in each of some windows, by agent, category, department and service? What tasks cost that are not finished is spent, too.
SELECT
    'tasks' AS source,
    windows[window_number] AS window,
    agent_id, category, department, service_name AS service, '' AS provider, '' AS model, '' AS tool,
    fromUnixTimestamp64Milli(min(ms), 'UTC') AS first_started,
    countIf(is_finished) AS n,
    countIf(status = 'failed') AS failed,
    countIf(is_finished AND expected > 0) AS benchmarked,
    countIf(is_finished AND isNotNull(cost_usd)) AS priced,
    countIf(isNotNull(cost_usd)) AS spent,
    countIf(is_finished AND isNotNull(score)) AS scored,
    sumIf(unpriced_calls, is_finished) AS unpriced,
    sumIf(duration_seconds, is_finished) AS duration_sum,
    sumIf(duration_seconds / expected, is_finished AND expected > 0) AS benchmark_sum,
    sumIf(ifNull(toFloat64(cost_usd), 0), is_finished) AS cost_sum,
    sum(ifNull(toFloat64(cost_usd), 0)) AS spent_sum,
    sumIf(toFloat64(total_tokens), is_finished) AS tokens_sum,
    sumIf(ifNull(score, 0), is_finished) AS score_sum,
    maxIf(duration_seconds, is_finished) AS duration_max,
    maxIf(toFloat64(cost_usd), is_finished) AS cost_max,
    maxIf(toFloat64(total_tokens), is_finished) AS tokens_max
FROM
(
    SELECT
        {windows:Array(String)} AS windows,
        agent_id, category, department, service_name, status, duration_seconds, cost_usd, total_tokens, unpriced_calls, started_at,
        toUnixTimestamp64Milli(started_at) AS ms,
        status IN ('succeeded', 'failed') AS is_finished,
        (ifNull(accuracy, 0) + ifNull(completeness, 0) + ifNull(relevance, 0))
        / nullIf(isNotNull(accuracy) + isNotNull(completeness) + isNotNull(relevance), 0) AS score,
        ifNull(if(of_level.seconds > 0, of_level.seconds, of_any.seconds), 0) AS expected
    FROM (SELECT * FROM task_scores FINAL
          WHERE at >= toStartOfMinute(fromUnixTimestamp64Milli(arrayMin({since_ms:Array(Int64)})))) AS done
    LEFT JOIN (SELECT agent_type, complexity, expected_duration_seconds AS seconds FROM benchmarks FINAL) AS of_level
        ON of_level.agent_type = done.agent_type AND of_level.complexity = done.complexity
    LEFT JOIN (SELECT agent_type, expected_duration_seconds AS seconds FROM benchmarks FINAL WHERE complexity = 0) AS of_any
        ON of_any.agent_type = done.agent_type
)
ARRAY JOIN arrayFilter(
    i -> ms >= {since_ms:Array(Int64)}[i] AND ms < {until_ms:Array(Int64)}[i], arrayEnumerate({windows:Array(String)})) AS window_number
GROUP BY window, agent_id, category, department, service
LIMIT {limit:UInt32}
