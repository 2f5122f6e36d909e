-- How many agents were at work in a window and in the window before it, and of how many did too much fail?
SELECT
    period,
    count() AS active_agents,
    countIf(finished >= {least:UInt32} AND failed > {degraded:Float64} * finished) AS ill_agents
FROM (
    SELECT
        agent_id,
        if(started_at >= {since:DateTime64(9)}, 'now', 'before') AS period,
        countIf(status IN ('succeeded', 'failed')) AS finished,
        countIf(status = 'failed') AS failed
    FROM tasks FINAL
    WHERE started_at >= {before:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR hasAny(models, {model:Array(String)}))
      AND (empty({provider:Array(String)}) OR task_id IN (
          SELECT task_id FROM nodes FINAL
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {before:DateTime64(9)}))
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
    GROUP BY agent_id, period
)
GROUP BY period
LIMIT {limit:UInt32}
