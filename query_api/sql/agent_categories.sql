-- How does an agent fare, by category?
SELECT
    category,
    count() AS tasks,
    countIf(status = 'succeeded') AS succeeded,
    countIf(status = 'failed') AS failed,
    if(succeeded + failed = 0, NULL, succeeded / (succeeded + failed)) AS success_rate,
    avgOrNullIf(duration_seconds, status IN ('succeeded', 'failed')) AS avg_duration_seconds,
    sum(cost_usd) AS total_cost_usd,
    sum(t.unpriced_calls) AS unpriced_calls
FROM tasks AS t FINAL
WHERE agent_id = {agent:String} AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
GROUP BY category
ORDER BY tasks DESC, category
LIMIT {limit:UInt32}
