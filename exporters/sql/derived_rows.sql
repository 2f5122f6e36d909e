-- What has been derived of these traces: the identity of every node and task that is not deleted, when it began, and its version.
SELECT 'nodes' AS of, trace_id, span_id, started_at, version FROM nodes FINAL WHERE trace_id IN {trace_ids:Array(String)}
UNION ALL
SELECT 'tasks' AS of, trace_id, span_id, started_at, version FROM tasks FINAL WHERE trace_id IN {trace_ids:Array(String)}
