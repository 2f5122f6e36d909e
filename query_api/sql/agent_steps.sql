-- How do the steps of an agent fare: by name and operation, and the model calls among them by model? The traces are looked up
-- first, for of a choice by the sorting key few rows are compared to find the newest of each; in tasks, of which there are fewer.
SELECT
    (grouping(called) = 0)::Bool AS by_model,
    called AS model,
    node_name,
    operation,
    count() AS calls,
    countIf(n.success) AS succeeded,
    avg(toFloat64(n.success)) AS success_rate,
    quantilesExactInclusive(0.5, 0.95)(n.duration_seconds) AS usual,
    usual[1] AS p50_duration_seconds,
    usual[2] AS p95_duration_seconds,
    sum(n.input_tokens) AS input_tokens,
    sum(n.output_tokens) AS output_tokens,
    sum(n.cost_usd) AS cost_usd,
    countIf(n.unpriced) AS unpriced_calls,
    min(n.started_at) AS since,
    max(n.started_at) AS last_seen
FROM
(
    SELECT
        node_name, operation, success, duration_seconds, input_tokens, output_tokens, cost_usd, unpriced, started_at,
        if(operation IN ('chat', 'text_completion', 'generate_content', 'embeddings'), toString(model), '') AS called
    FROM nodes FINAL
    PREWHERE trace_id IN (SELECT trace_id FROM tasks WHERE agent_id = {agent:String})
    WHERE agent_id = {agent:String} AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
) AS n
GROUP BY GROUPING SETS ((node_name, operation), (called))
HAVING NOT by_model OR called != ''
ORDER BY by_model, calls DESC, node_name, operation, model
LIMIT {limit:UInt32} BY by_model
