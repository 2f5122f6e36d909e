-- Which tasks did their user give these ids? Of tasks that work for each other under one id the uppermost.
SELECT external_id, task_id, trace_id
FROM tasks FINAL
WHERE external_id IN {external_id:Array(String)}
  AND (parent_task_id = '' OR (external_id, parent_task_id) NOT IN (
      SELECT external_id, task_id FROM tasks FINAL WHERE external_id IN {external_id:Array(String)}))
LIMIT {limit:UInt32}
