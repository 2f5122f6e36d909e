-- How do departments fare?
SELECT
    department,
    length(groupUniqArray(t.agent_id)) AS agents,
    uniqExactIf(t.user_id, t.user_id != '') AS users,
    count() AS tasks,
    countIf(status = 'succeeded') AS succeeded,
    countIf(status = 'failed') AS failed,
    if(succeeded + failed = 0, NULL, succeeded / (succeeded + failed)) AS success_rate,
    quantilesExactInclusiveIf(0.5, 0.95)(duration_seconds, status IN ('succeeded', 'failed')) AS usual,
    if(succeeded + failed = 0, NULL, usual[1]) AS p50_duration_seconds,
    if(succeeded + failed = 0, NULL, usual[2]) AS p95_duration_seconds,
    sum(t.llm_calls) AS calls,
    sum(t.input_tokens) AS input_tokens,
    sum(t.output_tokens) AS output_tokens,
    sum(t.cached_input_tokens) AS cached_input_tokens,
    sum(t.reasoning_tokens) AS reasoning_tokens,
    sum(t.cost_usd) AS cost_usd,
    sum(t.unpriced_calls) AS unpriced_calls,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen
FROM (
    SELECT * EXCEPT (input, output)
    FROM tasks FINAL
    WHERE started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
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
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
) AS t
GROUP BY department
ORDER BY tasks DESC, department
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
