-- How did the tasks of a window go, and those of the window before it?
SELECT
    period,
    count() AS tasks,
    countIf(status IN ('succeeded', 'failed')) AS finished,
    countIf(status = 'succeeded') AS succeeded,
    countIf(status = 'running') AS running,
    if(finished = 0, NULL, succeeded / finished) AS success_rate,
    avgOrNullIf(duration_seconds, status IN ('succeeded', 'failed')) AS avg_duration_seconds,
    sum(t.cost_usd) AS cost_usd,
    sum(t.unpriced_calls) AS unpriced_calls,
    sum(t.total_tokens) AS total_tokens,
    sum(t.files_created) AS files_created,
    sum(t.files_modified) AS files_modified,
    uniqExactIf(t.user_id, t.user_id != '') AS users
FROM (
    SELECT * EXCEPT (input, output), if(started_at >= {since:DateTime64(9)}, 'now', 'before') AS period
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
) AS t
GROUP BY period
LIMIT {limit:UInt32}
