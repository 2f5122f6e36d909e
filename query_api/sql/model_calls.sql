-- How do model calls fare, by model or by provider, and how good was the work in which they were made? A task counts once for
-- each. How long they take is what `model_durations` says, between the least and the most.
WITH
    {group_by:String} = 'model' AS by_model,
    if(by_model, notEmpty({provider:Array(String)}), notEmpty({model:Array(String)})) AS of_pair
SELECT
    if(by_model, toString(work.model), toString(work.provider)) AS group,
    arraySort(groupUniqArrayIf(100)(toString(work.provider), work.provider != '')) AS providers,
    arraySort(groupUniqArrayIf(100)(toString(work.model), work.model != '')) AS models,
    uniqExact(work.agent_id) AS agents,
    sum(multiIf(of_pair, work.pair_tasks, by_model, work.model_tasks, work.provider_tasks)) AS tasks,
    sum(multiIf(of_pair, work.pair_rated, by_model, work.model_rated, work.provider_rated)) AS rated_tasks,
    sum(multiIf(of_pair, work.pair_quality, by_model, work.model_quality, work.provider_quality)) / nullIf(rated_tasks, 0) AS quality,
    sum(work.calls) AS calls,
    sum(work.succeeded) AS succeeded,
    calls - succeeded AS failed,
    succeeded / calls AS success_rate,
    min(work.duration_least) AS least,
    max(work.duration_most) AS most,
    sum(work.input_tokens) AS input_tokens,
    sum(work.output_tokens) AS output_tokens,
    sum(work.cached_input_tokens) AS cached_input_tokens,
    sum(work.reasoning_tokens) AS reasoning_tokens,
    sum(work.cost_usd) AS cost_usd,
    sum(work.unpriced_calls) AS unpriced_calls,
    min(work.first_started) AS first_seen,
    max(work.last_started) AS last_seen,
    sumIf(work.calls, work.first_started >= {lately:DateTime64(9)}) AS calls_lately,
    sumIf(work.calls - work.succeeded, work.first_started >= {lately:DateTime64(9)}) AS failed_lately
FROM model_work(
    since = {since:DateTime64(9)}, until = {until:DateTime64(9)}, cuts = {cuts:Array(DateTime64(9))}, by_task = {by_task:Bool},
    trace_id = {trace_id:Array(String)}, user_id = {user_id:Array(String)}, agent_id = {agent_id:Array(String)},
    category = {category:Array(String)}, model = {model:Array(String)}, provider = {provider:Array(String)},
    department = {department:Array(String)}, service = {service:Array(String)}) AS work
WHERE is_call
GROUP BY group
ORDER BY calls DESC, group
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
