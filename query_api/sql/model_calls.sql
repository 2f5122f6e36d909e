-- How do model calls fare, by model or by provider?
SELECT
    if({group_by:String} = 'model', toString(n.model), toString(n.provider)) AS group,
    arraySort(groupUniqArrayIf(100)(toString(n.provider), n.provider != '')) AS providers,
    arraySort(groupUniqArrayIf(100)(toString(n.model), n.model != '')) AS models,
    uniqExact(n.agent_id) AS agents,
    uniqExact(n.task_id) AS tasks,
    count() AS calls,
    countIf(success) AS succeeded,
    calls - succeeded AS failed,
    succeeded / calls AS success_rate,
    quantileExactInclusive(0.5)(n.duration_seconds) AS p50_duration_seconds,
    quantileExactInclusive(0.95)(n.duration_seconds) AS p95_duration_seconds,
    sum(ifNull(n.input_tokens, 0)) AS input_tokens,
    sum(ifNull(n.output_tokens, 0)) AS output_tokens,
    sum(ifNull(n.cached_input_tokens, 0)) AS cached_input_tokens,
    sum(ifNull(n.reasoning_tokens, 0)) AS reasoning_tokens,
    sum(n.cost_usd) AS cost_usd,
    countIf(unpriced) AS unpriced_calls,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen,
    countIf(started_at >= {lately:DateTime64(9)}) AS calls_lately,
    countIf(NOT success AND started_at >= {lately:DateTime64(9)}) AS failed_lately
FROM nodes AS n FINAL
WHERE operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
  AND started_at >= {since:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
  AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
  AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
  AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
  AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
  AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
GROUP BY group
ORDER BY calls DESC, group
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
