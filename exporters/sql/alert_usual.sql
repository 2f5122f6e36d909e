-- How long do nineteen in twenty of the tasks of each service and each agent take at most?
SELECT who.1 AS kind, who.2 AS name, quantile(0.95)(duration_seconds) AS seconds
FROM
(
    SELECT duration_seconds, [('service', toString(service_name)), ('agent', toString(agent_id))] AS both
    FROM task_scores
    WHERE at >= {since:DateTime} AND status IN ('succeeded', 'failed') AND is_deleted = 0
)
ARRAY JOIN both AS who
GROUP BY kind, name
LIMIT {limit:UInt32}
