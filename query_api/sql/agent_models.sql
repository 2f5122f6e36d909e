-- Which models does an agent use, since when, and in how many of the tasks that are kept?
SELECT model, min(since) AS since, max(last_seen) AS last_seen, sum(n) AS tasks
FROM
(
    SELECT toString(model) AS model, started_at AS since, started_at AS last_seen, 1 AS n
    FROM tasks FINAL
    ARRAY JOIN models AS model
    WHERE agent_id = {agent:String}
    UNION ALL
    SELECT toString(model), since, last_seen, 0 AS n
    FROM known_agents
    ARRAY JOIN models AS model, models_since AS since, models_last_seen AS last_seen
    WHERE agent_id = {agent:String}
)
GROUP BY model
ORDER BY last_seen DESC, model
LIMIT {limit:UInt32}
