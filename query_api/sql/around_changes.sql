-- How did an agent's tasks go before and after each change: those that began between {before} and {changed}, and from there to {after}?
WITH indexOf(profiles, {profile:String}) AS place
SELECT
    change,
    started_at >= changed AS is_after,
    countIf(status IN ('succeeded', 'failed')) AS success_rate_n,
    countIf(status = 'succeeded')::Float64 AS success_rate_sum,
    success_rate_sum AS success_rate_squares,
    count(quality[place]) AS quality_n,
    ifNull(sum(quality[place]), 0) AS quality_sum,
    ifNull(sum(quality[place] * quality[place]), 0) AS quality_squares,
    countIf(cost_known AND status IN ('succeeded', 'failed')) AS cost_usd_n,
    ifNull(sumIf(toFloat64(cost_usd), cost_known AND status IN ('succeeded', 'failed')), 0) AS cost_usd_sum,
    ifNull(sumIf(toFloat64(cost_usd) * toFloat64(cost_usd), cost_known AND status IN ('succeeded', 'failed')), 0) AS cost_usd_squares,
    success_rate_n AS duration_seconds_n,
    sumIf(duration_seconds, status IN ('succeeded', 'failed')) AS duration_seconds_sum,
    sumIf(duration_seconds * duration_seconds, status IN ('succeeded', 'failed')) AS duration_seconds_squares
FROM task_scores FINAL
ARRAY JOIN
    arrayEnumerate({changed:Array(DateTime64(9))}) AS change,
    {before:Array(DateTime64(9))} AS begins,
    {changed:Array(DateTime64(9))} AS changed,
    {after:Array(DateTime64(9))} AS ends
WHERE agent_id = {agent:String} AND started_at >= begins AND started_at < ends
GROUP BY change, is_after
ORDER BY change, is_after
LIMIT {limit:UInt32}
