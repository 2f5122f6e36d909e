-- Where in this trace did an agent hand its work over to another, in the order it did?
SELECT agent_id, task_id, span_id, node_name AS name, started_at, success
FROM nodes FINAL
WHERE trace_id = {trace_id:String} AND operation = 'handoff'
ORDER BY started_at, span_id
LIMIT {limit:UInt32}
