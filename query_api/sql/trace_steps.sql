-- Which steps does this trace hold, whose are they, and which of them hand work over?
SELECT span_id, task_id, toString(agent_id) AS agent_id, toString(node_name) AS name, started_at, success, (operation = 'handoff')::Bool AS is_handoff
FROM nodes FINAL
WHERE trace_id = {trace_id:String}
ORDER BY started_at, span_id
LIMIT {limit:UInt32}
