-- Which tasks does this trace hold, and for which do they work, in the order they began?
SELECT span_id, task_id, parent_task_id, toString(agent_id) AS agent_id
FROM tasks FINAL
WHERE trace_id = {trace_id:String}
ORDER BY started_at, span_id
LIMIT {limit:UInt32}
