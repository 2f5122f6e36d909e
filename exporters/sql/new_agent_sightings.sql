-- What do the tasks that were stored after {after} up to {until} say of their agents? Asked without FINAL, which would read
-- the whole table.
SELECT
    agent_id, agent_name, agent_type_said AS agent_type, department_said AS department, capabilities, service_name, models,
    min(started_at) AS first_seen, max(started_at) AS last_seen
FROM
(
    SELECT
        agent_id, agent_name, agent_type_said, department_said, capabilities, service_name, models, started_at, is_deleted
    FROM tasks
    WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)}
    ORDER BY version DESC
    LIMIT 1 BY trace_id, span_id
)
WHERE is_deleted = 0
GROUP BY agent_id, agent_name, agent_type_said, department_said, capabilities, service_name, models
ORDER BY last_seen DESC
LIMIT {most:UInt32}
