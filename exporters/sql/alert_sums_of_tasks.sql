-- What was done in each of some windows, by agent, category, department and service?
SELECT
    'tasks' AS source,
    windows[window_number] AS window,
    agent_id, category, department, service_name AS service, '' AS provider, '' AS model, '' AS tool,
    fromUnixTimestamp64Milli(min(ms), 'UTC') AS first_started,
    count() AS n,
    countIf(status = 'failed') AS failed,
    countIf(expected > 0) AS benchmarked,
    countIf(isNotNull(cost_usd)) AS priced,
    countIf(isNotNull(score)) AS scored,
    sum(unpriced_calls) AS unpriced,
    sum(duration_seconds) AS duration_sum,
    sum(if(expected > 0, duration_seconds / expected, 0)) AS benchmark_sum,
    sum(ifNull(toFloat64(cost_usd), 0)) AS cost_sum,
    sum(toFloat64(total_tokens)) AS tokens_sum,
    sum(ifNull(score, 0)) AS score_sum,
    max(duration_seconds) AS duration_max,
    max(toFloat64(cost_usd)) AS cost_max,
    max(toFloat64(total_tokens)) AS tokens_max
FROM
(
    SELECT
        {windows:Array(String)} AS windows,
        agent_id, category, department, service_name, status, duration_seconds, cost_usd, total_tokens, unpriced_calls, started_at,
        toUnixTimestamp64Milli(started_at) AS ms,
        (ifNull(accuracy, 0) + ifNull(completeness, 0) + ifNull(relevance, 0))
        / nullIf(isNotNull(accuracy) + isNotNull(completeness) + isNotNull(relevance), 0) AS score,
        ifNull(if(of_level.seconds > 0, of_level.seconds, of_any.seconds), 0) AS expected
    FROM (SELECT * FROM task_scores FINAL
          WHERE at >= toStartOfMinute(fromUnixTimestamp64Milli(arrayMin({since_ms:Array(Int64)})))
            AND status IN ('succeeded', 'failed')) AS done
    LEFT JOIN (SELECT agent_type, complexity, expected_duration_seconds AS seconds FROM benchmarks FINAL) AS of_level
        ON of_level.agent_type = done.agent_type AND of_level.complexity = done.complexity
    LEFT JOIN (SELECT agent_type, expected_duration_seconds AS seconds FROM benchmarks FINAL WHERE complexity = 0) AS of_any
        ON of_any.agent_type = done.agent_type
)
ARRAY JOIN arrayFilter(
    i -> ms >= {since_ms:Array(Int64)}[i] AND ms < {until_ms:Array(Int64)}[i], arrayEnumerate({windows:Array(String)})) AS window_number
GROUP BY window, agent_id, category, department, service
LIMIT {limit:UInt32}
