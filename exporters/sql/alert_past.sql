-- How were an agent's tasks of a category until now, of a part of the agents? Of each, always the same sample, and another since
-- people accept something of it as new; without the time of which an open alert tells.
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
  AND (task_scores.at < {until:DateTime} OR has({accepting:Array(String)}, agent_id))
  AND status IN ('succeeded', 'failed')
  AND CRC32(toString(agent_id)) % {parts:UInt32} = {part:UInt32}
  AND toUnixTimestamp64Milli(started_at) < transform(agent_id, {alarmed:Array(String)}, {to_ms:Array(Int64)}, 9000000000000::Int64)
ORDER BY agent_id, category, cityHash64(task_id)
LIMIT {each:UInt32} BY agent_id, category,
    toUnixTimestamp64Milli(started_at) >= transform(agent_id, {accepting:Array(String)}, {from_ms:Array(Int64)}, 0::Int64)
LIMIT {limit:UInt32}
