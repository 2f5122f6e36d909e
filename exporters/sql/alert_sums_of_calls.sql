-- How did calls of models and tools go in each of some windows, by who made and who served them?
SELECT
    'calls' AS source,
    windows[window_number] AS window,
    agent_id, category, department, service_name AS service, provider, model, tool,
    fromUnixTimestamp64Milli(min(ms), 'UTC') AS first_started,
    count() AS n,
    countIf(NOT success) AS failed,
    0 AS benchmarked,
    countIf(isNotNull(cost_usd)) AS priced,
    priced AS spent,
    0 AS scored,
    countIf(is_unpriced) AS unpriced,
    sum(duration_seconds) AS duration_sum,
    0. AS benchmark_sum,
    sum(ifNull(toFloat64(cost_usd), 0)) AS cost_sum,
    cost_sum AS spent_sum,
    sum(toFloat64(ifNull(input_tokens, 0) + ifNull(output_tokens, 0))) AS tokens_sum,
    0. AS score_sum,
    max(duration_seconds) AS duration_max,
    max(toFloat64(cost_usd)) AS cost_max,
    max(toFloat64(ifNull(input_tokens, 0) + ifNull(output_tokens, 0))) AS tokens_max
FROM
(
    SELECT
        {windows:Array(String)} AS windows,
        agent_id, category, department, service_name, provider, model, success, cost_usd, duration_seconds, input_tokens, output_tokens,
        unpriced AS is_unpriced,
        if(operation = 'execute_tool', node_name, '') AS tool,
        toUnixTimestamp64Milli(started_at) AS ms
    FROM nodes FINAL
    WHERE started_at >= fromUnixTimestamp64Milli(arrayMin({since_ms:Array(Int64)}))
      AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings', 'execute_tool')
)
ARRAY JOIN arrayFilter(
    i -> ms >= {since_ms:Array(Int64)}[i] AND ms < {until_ms:Array(Int64)}[i], arrayEnumerate({windows:Array(String)})) AS window_number
GROUP BY window, agent_id, category, department, service, provider, model, tool
LIMIT {limit:UInt32}
