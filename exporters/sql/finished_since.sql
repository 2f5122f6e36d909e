-- How many tasks has each agent finished, of these categories (any if there are none): of some agents since a time of their own?
SELECT toString(agent_id) AS agent_id, count() AS finished
FROM task_scores FINAL
WHERE at >= {since:DateTime}
  AND status IN ('succeeded', 'failed')
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
  AND toUnixTimestamp64Milli(started_at) >= transform(toString(agent_id), {agents:Array(String)}, {since_ms:Array(Int64)}, 0::Int64)
GROUP BY agent_id
ORDER BY agent_id
LIMIT {limit:UInt32}
