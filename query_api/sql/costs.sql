-- What was spent, by what is asked for, and by all groups together, whichever are shown? An empty group_by gives the total.
SELECT
    multiIf(
        {group_by:String} = 'agent', toString(agent_id),
        {group_by:String} = 'model', toString(model),
        {group_by:String} = 'provider', toString(provider),
        {group_by:String} = 'category', toString(category),
        {group_by:String} = 'department', toString(department),
        {group_by:String} = 'service', toString(service_name),
        {group_by:String} = 'user', user_id,
        {group_by:String} = 'day', toString(toDate(at)),
        '') AS group,
    sum(work.cost_usd) AS cost_usd,
    sum(work.calls) AS calls,
    sum(work.input_tokens) AS input_tokens,
    sum(work.output_tokens) AS output_tokens,
    sum(work.cached_input_tokens) AS cached_input_tokens,
    sum(work.cache_write_tokens) AS cache_write_tokens,
    sum(work.reasoning_tokens) AS reasoning_tokens,
    sum(work.unpriced_calls) AS unpriced_calls,
    sum(cost_usd) OVER () AS total_cost_usd,
    sum(calls) OVER () AS total_calls,
    sum(input_tokens) OVER () AS total_input_tokens,
    sum(output_tokens) OVER () AS total_output_tokens,
    sum(cached_input_tokens) OVER () AS total_cached_input_tokens,
    sum(cache_write_tokens) OVER () AS total_cache_write_tokens,
    sum(reasoning_tokens) OVER () AS total_reasoning_tokens,
    sum(unpriced_calls) OVER () AS total_unpriced_calls
FROM model_work(
    since = {since:DateTime64(9)}, until = {until:DateTime64(9)}, cuts = {cuts:Array(DateTime64(9))}, by_task = {by_task:Bool},
    trace_id = {trace_id:Array(String)}, user_id = {user_id:Array(String)}, agent_id = {agent_id:Array(String)},
    category = {category:Array(String)}, model = {model:Array(String)}, provider = {provider:Array(String)},
    department = {department:Array(String)}, service = {service:Array(String)}) AS work
GROUP BY group
ORDER BY if({group_by:String} = 'day', group, '') DESC, ifNull(cost_usd, -1) DESC, group
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
