-- How did an agent's finished tasks of these categories (any if there are none) go: the last ones before a time, or the first ones after it?
SELECT
    toFloat64(status = 'succeeded') AS succeeded,
    quality[indexOf(profiles, {profile:String})] AS quality,
    if(unpriced_calls = 0, toFloat64(cost_usd), NULL) AS cost_usd,
    if(status = 'succeeded', duration_seconds, NULL) AS duration_seconds
FROM task_scores FINAL
WHERE agent_id = {agent_id:String}
  AND at >= {since:DateTime} AND at < {until:DateTime}
  AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
  AND status IN ('succeeded', 'failed')
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
ORDER BY if({last:Bool}, -1, 1) * toUnixTimestamp64Milli(started_at)
LIMIT {limit:UInt32}
