-- How good was the work, under a profile: in all, or by agent, category or department, in each stretch between two cuts?
WITH
    indexOf(work.profiles, {profile:String}) AS place,
    work.succeeded + work.failed AS ended
SELECT
    multiIf(
        {group_by:String} = 'agent', toString(agent_id),
        {group_by:String} = 'category', toString(category),
        {group_by:String} = 'department', toString(department),
        '') AS group,
    segment,
    sum(work.rated_tasks) AS rated_tasks,
    sum(work.quality_sum[place]) / nullIf(sum(work.quality_n[place]), 0) AS quality,
    if(sum(ended) = 0, NULL, sum(work.points_sum[place])) AS points,
    sum(work.points_sum[place]) / nullIf(sum(ended), 0) AS points_per_task,
    sum(work.rating_sum) / nullIf(sum(work.rating_n), 0) AS avg_user_rating,
    sum(work.efficiency_sum) / nullIf(sum(work.efficiency_n), 0) AS efficiency,
    sum(work.speed_sum) / nullIf(sum(work.speed_n), 0) AS speed,
    sum(work.thrift_sum) / nullIf(sum(work.thrift_n), 0) AS thrift,
    if(sum(work.unpriced_calls) > {most_unpriced:Float64} * sum(work.llm_calls), NULL,
       sum(work.worth_cost[place]) / nullIf(sum(work.worth_sum[place]), 0)) AS cost_per_quality_point
FROM agent_work(
    since = {since:DateTime64(9)}, until = {until:DateTime64(9)}, cuts = {cuts:Array(DateTime64(9))},
    user_id = {user_id:Array(String)}, model = {model:Array(String)}, provider = {provider:Array(String)},
    category = {category:Array(String)}, department = {department:Array(String)}, service = {service:Array(String)}) AS work
WHERE (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
GROUP BY group, segment
LIMIT {limit:UInt32}
