-- Which tasks were stored after {after} and have not been scored as they are now? Of several rows of a task the newest. Those
-- stored at the same instant come together, in the order in which they were stored.
SELECT
    toDateTime64(toStartOfMinute(started_at), 3, 'UTC') AS minute, agent_id, trace_id, span_id, task_id, agent_name, agent_type, department,
    service_name, category, complexity, complexity_said, status, started_at, duration_seconds, llm_calls, unpriced_calls,
    total_tokens, cost_usd, user_id, arraySort(models) AS models, version AS task_version, stored_at AS task_stored_at, is_deleted
FROM tasks
WHERE stored_at > {after:DateTime64(3)}
  AND (trace_id, span_id, stored_at) NOT IN
  (
      SELECT trace_id, span_id, task_stored_at FROM task_scores WHERE task_stored_at > {after:DateTime64(3)}
  )
ORDER BY stored_at
LIMIT {most:UInt32} WITH TIES
