-- Which are the newest tasks of each agent and category?
SELECT
    agent_id, category, trace_id,
    started_at + toIntervalMicrosecond(toInt64(task_scores.duration_seconds * 1e6)) AS at,
    status = 'failed' AS failed,
    if(status = 'failed', NULL, task_scores.duration_seconds) AS duration_seconds,
    toFloat64(task_scores.cost_usd) AS cost_usd,
    (ifNull(accuracy, 0) + ifNull(completeness, 0) + ifNull(relevance, 0))
        / nullIf(isNotNull(accuracy) + isNotNull(completeness) + isNotNull(relevance), 0) AS quality
FROM task_scores FINAL
WHERE task_scores.at >= {since:DateTime}
  AND status IN ('succeeded', 'failed')
ORDER BY agent_id, category, at DESC, trace_id DESC
LIMIT {each:UInt32} BY agent_id, category
LIMIT {limit:UInt32}
