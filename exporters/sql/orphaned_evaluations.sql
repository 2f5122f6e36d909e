-- Which evaluations are of tasks that a later derivation did not find any more, or of a trace at whose top another task stands now?
WITH
gone AS (SELECT trace_id, span_id FROM tasks WHERE is_deleted = 1 AND stored_at >= {since:DateTime64(3)}),
below AS (SELECT trace_id FROM tasks WHERE parent_task_id != '' AND stored_at >= {since:DateTime64(3)})
SELECT *
FROM evaluations FINAL
WHERE task_id != ''
  AND received_at >= {horizon:DateTime64(3)}
  AND (
      (evaluation_id IN (SELECT evaluation_id FROM evaluations WHERE task_id IN (SELECT concat(trace_id, '-', span_id) FROM gone))
       AND task_id NOT IN (SELECT task_id FROM tasks FINAL WHERE trace_id IN (SELECT trace_id FROM gone)))
      OR
      (evaluation_id IN (SELECT evaluation_id FROM evaluations WHERE target IN (SELECT trace_id FROM below))
       AND target = trace_id
       AND task_id IN (SELECT task_id FROM tasks FINAL WHERE parent_task_id != '' AND trace_id IN (SELECT trace_id FROM below)))
  )
