-- Which tasks were stored after {after} up to {until} and have not been scored as they are now? In the order in which they were stored.
SELECT
    toDateTime64(toStartOfMinute(started_at), 3, 'UTC') AS minute, agent_id, trace_id, span_id, task_id, agent_name, agent_type, department,
    service_name, category, complexity, complexity_said, status, started_at, duration_seconds, llm_calls, unpriced_calls,
    total_tokens, cost_usd, user_id, arraySort(models) AS models, version AS task_version, stored_at AS task_stored_at, again, is_deleted
FROM tasks
WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)}
  AND (trace_id, span_id, stored_at) NOT IN
  (
      SELECT trace_id, span_id, task_stored_at FROM task_scores WHERE task_stored_at > {after:DateTime64(3)}
  )
ORDER BY stored_at
