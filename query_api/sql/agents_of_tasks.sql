-- Which agents have done these tasks?
SELECT task_id, agent_id AS evaluator
FROM tasks FINAL
WHERE trace_id IN {trace_id:Array(String)} AND task_id IN {task_id:Array(String)}
LIMIT {limit:UInt32}
