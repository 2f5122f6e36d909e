-- How did the model calls of these traces go, by task, provider and model?
SELECT
    task_id, provider, model, any(nodes.category) AS category, toFloat64(min(success)) AS success,
    if(countIf(unpriced) = 0, toFloat64(sum(cost_usd)), NULL) AS cost_usd, sum(duration_seconds) AS duration_seconds,
    max(started_at) AS ended_at
FROM nodes FINAL
WHERE trace_id IN {trace_ids:Array(String)} AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
GROUP BY task_id, provider, model
ORDER BY ended_at, task_id, provider, model
LIMIT {most:UInt32}
