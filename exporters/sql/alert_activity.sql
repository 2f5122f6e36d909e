-- When did each service and each agent last begin or end a task? Asked without FINAL: no version of a task is later than its last.
SELECT who.1 AS kind, who.2 AS name, max(seen) AS last
FROM
(
    SELECT greatest(started_at, ended_at) AS seen, [('service', toString(service_name)), ('agent', toString(agent_id))] AS both
    FROM tasks
    WHERE started_at >= {since:DateTime64(9)} AND is_deleted = 0
)
ARRAY JOIN both AS who
GROUP BY kind, name
LIMIT {limit:UInt32}
