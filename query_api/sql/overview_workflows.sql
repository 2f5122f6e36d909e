-- How did jobs of several agents go in a window and in the window before it? They are looked up first where {narrow} says that they
-- are few.
SELECT
    if(started_at >= {since:DateTime64(9)}, 'now', 'before') AS period,
    countIf(length(agents) > 1) AS multi_agent_workflows,
    countIf(length(agents) > 1 AND status = 'succeeded') AS succeeded,
    countIf(length(agents) > 1 AND status IN ('succeeded', 'failed')) AS finished,
    if(finished = 0, NULL, succeeded / finished) AS multi_agent_success_rate
FROM workflows FINAL
PREWHERE NOT {narrow:Bool} OR trace_id IN (
    SELECT trace_id FROM workflows
    WHERE {narrow:Bool} AND started_at >= {before:DateTime64(9)} AND started_at < {until:DateTime64(9)})
WHERE started_at >= {before:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND (empty({service:Array(String)}) OR hasAny(services, {service:Array(String)}))
  AND ((empty({agent_id:Array(String)}) AND empty({category:Array(String)}) AND empty({model:Array(String)})
        AND empty({provider:Array(String)}) AND empty({department:Array(String)}) AND empty({user_id:Array(String)}))
       OR trace_id IN (
          SELECT trace_id FROM tasks FINAL
          WHERE started_at >= {before:DateTime64(9)}
            AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
            AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
            AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
            AND (empty({provider:Array(String)}) OR task_id IN (
                SELECT task_id FROM nodes FINAL
                WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {before:DateTime64(9)}
                UNION ALL
                SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL
                WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND first_started >= {before:DateTime64(9)}))
            AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
            AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})))
GROUP BY period
LIMIT {limit:UInt32}
