-- How were these tasks judged, the newest first? Found by the index on task_id, then read by key.
SELECT * EXCEPT (version, is_deleted), 'kept' AS status
FROM evaluations FINAL
WHERE evaluation_id IN (SELECT evaluation_id FROM evaluations WHERE task_id IN {task_id:Array(String)})
  AND task_id IN {task_id:Array(String)}
ORDER BY evaluated_at DESC, evaluation_id DESC
LIMIT {limit:UInt32}
