-- Where do the tasks of traces that were derived again, stored after {after} up to {until}, stand among the scored ones, and how new is
-- what was scored?
SELECT
    toDateTime64(at, 3, 'UTC') AS minute, agent_id, trace_id, span_id, started_at, argMax(task_version, version) AS task_version
FROM task_scores
WHERE trace_id IN
(
    SELECT trace_id FROM tasks WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)} AND again
)
GROUP BY at, agent_id, trace_id, span_id, started_at
HAVING argMax(is_deleted, version) = 0
