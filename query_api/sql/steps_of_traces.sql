-- Which spans of these traces are steps of a task, or tasks?
SELECT trace_id, span_id, task_id FROM tasks FINAL WHERE trace_id IN {trace_id:Array(String)}
UNION ALL
SELECT trace_id, span_id, task_id FROM nodes FINAL WHERE trace_id IN {trace_id:Array(String)}
LIMIT {limit:UInt32}
