-- Since when is each agent, model and provider known, and how many tasks has it finished, of all that are kept? Of who only ever had
-- decisions, the first that named it is when it was first seen.
SELECT kind, agent_id, sum(tasks) AS finished, min(since) AS first_seen
FROM
(
    SELECT 'agent' AS kind, toString(agent_id) AS agent_id, count() AS tasks, min(started_at) AS since
    FROM tasks FINAL
    WHERE status IN ('succeeded', 'failed')
    GROUP BY agent_id
    UNION ALL
    SELECT 'agent', agent_id, 0, first_seen FROM agents FINAL
    UNION ALL
    SELECT 'model', toString(model), sum(of_model), min(first_started) FROM task_calls FINAL WHERE is_call GROUP BY model
    UNION ALL
    SELECT 'provider', toString(provider), sum(of_provider), min(first_started) FROM task_calls FINAL WHERE is_call GROUP BY provider
    UNION ALL
    SELECT toString(kind), toString(agent_id), 0, min(decided_at) FROM routing_decisions GROUP BY kind, agent_id
)
WHERE agent_id != ''
GROUP BY kind, agent_id
ORDER BY finished DESC, kind, agent_id
LIMIT {most:UInt32}
