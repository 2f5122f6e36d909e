-- Which tasks stand at the top of these traces? Of a trace that still runs nobody knows: the task above may be to come.
SELECT trace_id, task_id
FROM tasks FINAL
WHERE trace_id IN {trace_id:Array(String)}
  AND parent_task_id = ''
  AND trace_id NOT IN (SELECT trace_id FROM workflows FINAL WHERE trace_id IN {trace_id:Array(String)} AND status = 'running')
LIMIT {limit:UInt32}
