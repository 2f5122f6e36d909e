-- What has been derived of these traces: the identity of every node and task that is not deleted, and when it began.
SELECT 'nodes' AS of, trace_id, span_id, started_at FROM nodes FINAL WHERE trace_id IN {trace_ids:Array(String)}
UNION ALL
SELECT 'tasks' AS of, trace_id, span_id, started_at FROM tasks FINAL WHERE trace_id IN {trace_ids:Array(String)}
