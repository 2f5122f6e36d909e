-- How did the jobs that match go, and those of several agents among them?
SELECT
    count() AS workflows,
    countIf(status = 'succeeded') AS succeeded,
    countIf(status = 'failed') AS failed,
    if(succeeded + failed = 0, NULL, succeeded / (succeeded + failed)) AS success_rate,
    countIf(length(agents) > 1) AS multi_agent_workflows,
    countIf(length(agents) > 1 AND status IN ('succeeded', 'failed')) AS multi_agent_finished,
    if(multi_agent_finished = 0, NULL, countIf(length(agents) > 1 AND status = 'succeeded') / multi_agent_finished)
        AS multi_agent_success_rate,
    avgOrNullIf(duration_seconds, status IN ('succeeded', 'failed')) AS avg_duration_seconds,
    sum(w.cost_usd) AS cost_usd
FROM (
    SELECT * FROM workflows FINAL
    WHERE started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
      AND (empty({status:Array(String)}) OR status IN {status:Array(String)})
      AND (empty({service:Array(String)}) OR hasAny(services, {service:Array(String)}))
      AND ((empty({agent_id:Array(String)}) AND empty({category:Array(String)}) AND empty({model:Array(String)})
            AND empty({provider:Array(String)}) AND empty({department:Array(String)}) AND empty({user_id:Array(String)}))
           OR trace_id IN (
              SELECT trace_id FROM tasks FINAL
              WHERE started_at >= {since:DateTime64(9)}
                AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
                AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
                AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
                AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
                AND (empty({provider:Array(String)}) OR task_id IN (
                    SELECT task_id FROM nodes FINAL
                    WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}
                    UNION ALL
                    SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL
                    WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND first_started >= {since:DateTime64(9)}))
                AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
                AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})))
) AS w
LIMIT {limit:UInt32}
