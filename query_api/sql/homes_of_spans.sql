-- Which of these spans are tasks, and which are steps of one? A task that is a step too counts as the task.
SELECT trace_id, span_id, task_id, '' AS node
FROM tasks FINAL
WHERE trace_id IN {trace_id:Array(String)} AND span_id IN {span_id:Array(String)}
UNION ALL
SELECT trace_id, span_id, task_id, span_id AS node
FROM nodes FINAL
WHERE trace_id IN {trace_id:Array(String)} AND span_id IN {span_id:Array(String)}
LIMIT {limit:UInt32}
