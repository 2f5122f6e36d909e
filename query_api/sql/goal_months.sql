-- How did the tasks of the last three times 30 days go, as far as goals speak of it? Month 0 is the latest.
SELECT
    intDiv(toUnixTimestamp64Milli({until:DateTime64(3)}) - toUnixTimestamp64Milli(started_at) - 1, 2592000000) AS month,
    countIf(status IN ('succeeded', 'failed')) AS finished,
    countIf(status = 'succeeded') AS succeeded,
    if(finished = 0, NULL, succeeded / finished) AS success_rate,
    if(finished = 0, NULL, countIf(status IN ('succeeded', 'failed') AND rated) / finished) AS rated_share,
    countIf(status IN ('succeeded', 'failed') AND decision_id != '') AS routed,
    if(routed = 0, NULL, countIf(status = 'succeeded' AND decision_id != '') / routed) AS routed_success_rate,
    avgOrNullIf(duration_seconds, status IN ('succeeded', 'failed')) AS avg_duration_seconds,
    if(succeeded = 0, NULL, toFloat64(sum(t.cost_usd)) / succeeded) AS cost_per_success_usd
FROM (
    SELECT
        started_at, status, duration_seconds, decision_id, cost_usd,
        task_id IN (SELECT task_id FROM evaluations FINAL WHERE task_id != '') AS rated
    FROM tasks FINAL
    WHERE started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
) AS t
GROUP BY month
LIMIT {limit:UInt32}
