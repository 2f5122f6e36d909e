-- How did the model calls of these traces, derived since, go, by task, provider and model? Asked without FINAL, which would read
-- much of the table, for trace ids are spread all over it.
SELECT
    task_id, provider, model, any(category) AS category, toFloat64(min(success)) AS success,
    if(countIf(unpriced) = 0, toFloat64(sum(steps.cost_usd)), NULL) AS cost_usd, sum(steps.duration_seconds) AS duration_seconds,
    max(started_at) AS ended_at
FROM
(
    SELECT
        trace_id, span_id, task_id, provider, model, nodes.category AS category, operation, success, unpriced, cost_usd, duration_seconds,
        started_at, is_deleted
    FROM nodes
    WHERE stored_at >= {since:DateTime64(3)} AND trace_id IN {trace_ids:Array(String)}
    ORDER BY version DESC
    LIMIT 1 BY trace_id, span_id
) AS steps
WHERE is_deleted = 0 AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY task_id, provider, model
ORDER BY ended_at, task_id, provider, model
LIMIT {most:UInt32}
