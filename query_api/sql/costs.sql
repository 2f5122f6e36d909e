-- What was spent, by what is asked for? An empty group_by gives the total.
SELECT
    multiIf(
        {group_by:String} = 'agent', toString(agent_id),
        {group_by:String} = 'model', toString(model),
        {group_by:String} = 'provider', toString(provider),
        {group_by:String} = 'category', toString(category),
        {group_by:String} = 'department', toString(department),
        {group_by:String} = 'service', toString(service_name),
        {group_by:String} = 'user', user_id,
        {group_by:String} = 'day', toString(toDate(started_at)),
        '') AS group,
    sum(n.cost_usd) AS cost_usd,
    countIf(operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')) AS calls,
    sum(ifNull(n.input_tokens, 0)) AS input_tokens,
    sum(ifNull(n.output_tokens, 0)) AS output_tokens,
    sum(ifNull(n.cached_input_tokens, 0)) AS cached_input_tokens,
    sum(ifNull(n.cache_write_tokens, 0)) AS cache_write_tokens,
    sum(ifNull(n.reasoning_tokens, 0)) AS reasoning_tokens,
    countIf(unpriced) AS unpriced_calls
FROM nodes AS n FINAL
WHERE started_at >= {since:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
  AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
  AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
  AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
  AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
  AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
  AND (operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
       OR isNotNull(n.input_tokens) OR isNotNull(n.output_tokens) OR isNotNull(n.cost_usd) OR unpriced)
GROUP BY group
ORDER BY if({group_by:String} = 'day', group, '') DESC, ifNull(cost_usd, -1) DESC, group
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
