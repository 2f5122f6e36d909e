-- Which agents are there, who was at work last, and what have they done?
SELECT
    agent_id,
    argMax(t.agent_name, (t.agent_name != '', started_at)) AS agent_name,
    argMax(t.agent_type, (t.agent_type != '', started_at)) AS agent_type,
    argMax(t.department, (t.department != '', started_at)) AS department,
    groupUniqArrayIf(100)(service_name, service_name != '') AS services,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen,
    uniqExact(toDate(started_at)) AS days_active,
    count() AS tasks,
    countIf(status = 'running') AS running,
    countIf(status = 'interrupted') AS interrupted,
    countIf(status = 'succeeded') AS succeeded,
    countIf(status = 'failed') AS failed,
    if(succeeded + failed = 0, NULL, succeeded / (succeeded + failed)) AS success_rate,
    avgOrNullIf(duration_seconds, status IN ('succeeded', 'failed')) AS avg_duration_seconds,
    sum(t.llm_calls) AS llm_calls,
    sum(t.input_tokens) AS input_tokens,
    sum(t.output_tokens) AS output_tokens,
    sum(t.total_tokens) AS total_tokens,
    sum(t.cost_usd) AS total_cost_usd,
    sum(t.unpriced_calls) AS unpriced_calls
FROM (
    SELECT * EXCEPT (input, output)
    FROM tasks FINAL
    WHERE started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR hasAny(models, {model:Array(String)}))
      AND (empty({provider:Array(String)}) OR task_id IN (
          SELECT task_id FROM nodes FINAL
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}))
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
) AS t
GROUP BY agent_id
ORDER BY last_seen DESC, agent_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
