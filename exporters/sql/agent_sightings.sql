-- What do all tasks that are kept say of their agents, each different thing once?
SELECT
    agent_id, agent_name, agent_type_said AS agent_type, department_said AS department, capabilities, service_name, models,
    min(started_at) AS first_seen, max(started_at) AS last_seen
FROM tasks FINAL
GROUP BY agent_id, agent_name, agent_type_said, department_said, capabilities, service_name, models
ORDER BY last_seen DESC
LIMIT {most:UInt32}
