-- Who are the agents, since when are they known (whatever the window), and how long did the work that is ranked take?
SELECT
    agent_id,
    argMax(t.agent_name, (t.agent_name != '', started_at)) AS agent_name,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen,
    uniqExactIf(toDate(started_at), chosen) AS days_active,
    quantileExactInclusiveOrNullIf(0.95)(duration_seconds, chosen AND status IN ('succeeded', 'failed')) AS p95_duration_seconds
FROM (
    SELECT
        agent_id, agent_name, started_at, duration_seconds, status,
        started_at >= {since:DateTime64(9)}
        AND started_at < {until:DateTime64(9)}
        AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
        AND (empty({model:Array(String)}) OR hasAny(models, {model:Array(String)}))
        AND (empty({provider:Array(String)}) OR task_id IN (
              SELECT task_id FROM nodes FINAL
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}))
        AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
        AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
        AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)}) AS chosen
    FROM tasks FINAL
    WHERE started_at < {until:DateTime64(9)}
) AS t
GROUP BY agent_id
HAVING countIf(chosen) > 0
LIMIT {limit:UInt32}
