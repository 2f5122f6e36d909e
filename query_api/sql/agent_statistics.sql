-- What do agents stand on under a profile: counts and sums of tasks by agent, category, the complexity that users said (else 0), the
-- stretch between two cuts, and the hour, day or week if {period} says so, or the department if asked? Of the sums {level}, or of
-- tasks: the pieces from each of {begins} to each of {ends}, which belong to {segments}. Only tasks know of users, models and providers.
-- Nothing is compiled: at the fourth time that takes longer than the question, which is no faster afterwards.
WITH
    indexOf(work.profiles, {profile:String}) AS place,
    arrayFirstIndex((begin, end) -> moment >= begin AND moment < end, {begins:Array(DateTime64(9))}, {ends:Array(DateTime64(9))}) AS piece
SELECT
    agent_id,
    category,
    complexity,
    if({by_department:Bool}, toString(department), '') AS of_department,
    {segments:Array(UInt8)}[piece] AS segment,
    multiIf(
        {period:String} = 'hour', toStartOfHour(moment)::DateTime64(9, 'UTC'),
        {period:String} = 'day', toStartOfDay(moment)::DateTime64(9, 'UTC'),
        {period:String} = 'week', toMonday(moment)::DateTime64(9, 'UTC'),
        toDateTime64(0, 9, 'UTC')
    ) AS step,
    min(work.first_started) AS first_started,
    max(work.last_started) AS last_started,
    sum(work.tasks) AS tasks,
    sum(work.running) AS running,
    sum(work.interrupted) AS interrupted,
    sum(work.succeeded) AS succeeded,
    sum(work.failed) AS failed,
    sum(work.llm_calls) AS llm_calls,
    sum(work.unpriced_calls) AS unpriced_calls,
    sum(work.total_tokens) AS total_tokens,
    sum(work.total_cost_usd) AS total_cost_usd,
    sum(work.duration_sum) AS duration_sum,
    sum(work.duration_squares) AS duration_squares,
    sum(work.speed_n) AS speed_n,
    sum(work.speed_sum) AS speed_sum,
    sum(work.speed_squares) AS speed_squares,
    sum(work.thrift_n) AS thrift_n,
    sum(work.thrift_sum) AS thrift_sum,
    sum(work.thrift_squares) AS thrift_squares,
    sum(work.efficiency_n) AS efficiency_n,
    sum(work.efficiency_sum) AS efficiency_sum,
    sum(work.efficiency_squares) AS efficiency_squares,
    sum(work.ratio_n) AS ratio_n,
    sum(work.ratio_sum) AS ratio_sum,
    sum(work.ratio_squares) AS ratio_squares,
    sum(work.speed_thrift_n) AS speed_thrift_n,
    sum(work.speed_thrift) AS speed_thrift,
    sum(work.cost_n) AS cost_n,
    sum(work.cost_succeeded) AS cost_succeeded,
    sum(work.cost_sum) AS cost_sum,
    sum(work.cost_squares) AS cost_squares,
    sum(work.cost_of_succeeded) AS cost_of_succeeded,
    sum(work.rated_tasks) AS rated_tasks,
    sum(work.rating_n) AS rating_n,
    sum(work.rating_sum) AS rating_sum,
    sum(work.accuracy_n) AS accuracy_n,
    sum(work.accuracy_sum) AS accuracy_sum,
    sum(work.completeness_n) AS completeness_n,
    sum(work.completeness_sum) AS completeness_sum,
    sum(work.relevance_n) AS relevance_n,
    sum(work.relevance_sum) AS relevance_sum,
    sum(work.quality_n[place]) AS quality_n,
    sum(work.quality_sum[place]) AS quality_sum,
    sum(work.quality_squares[place]) AS quality_squares,
    sum(work.quality_succeeded[place]) AS quality_succeeded,
    sum(work.quality_of_succeeded[place]) AS quality_of_succeeded,
    succeeded + failed AS points_n,
    sum(work.points_sum[place]) AS points_sum,
    sum(work.points_squares[place]) AS points_squares,
    sum(work.worth_n[place]) AS worth_n,
    sum(work.worth_cost[place]) AS worth_cost,
    sum(work.worth_cost_squares[place]) AS worth_cost_squares,
    sum(work.worth_sum[place]) AS worth_sum,
    sum(work.worth_squares[place]) AS worth_squares,
    sum(work.worth_cross[place]) AS worth_cross
FROM {level:Identifier} AS work
WHERE at >= toStartOfMinute({since:DateTime64(9)}) AND at < {until:DateTime64(9)}
  AND piece > 0
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
  AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
  AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
  AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
  AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
  AND (empty({provider:Array(String)}) OR task_id IN (
      SELECT concat(trace_id, '-', span_id) FROM task_calls WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)}))
GROUP BY agent_id, category, complexity, of_department, segment, step
LIMIT {limit:UInt32}
SETTINGS final = 1, compile_expressions = 0, compile_aggregate_expressions = 0
