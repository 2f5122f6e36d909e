-- How did the tasks of the last three times 30 days go, as far as goals speak of it? Month 0 is the latest. What a success costs is
-- unknown if more than {most_unpriced} of the calls have no price, and counts tasks of which no more have none.
SELECT
    intDiv(toUnixTimestamp64Milli({until:DateTime64(3)}) - toUnixTimestamp64Milli(started_at) - 1, 2592000000) AS month,
    countIf(status IN ('succeeded', 'failed')) AS finished,
    countIf(status = 'succeeded') AS succeeded,
    if(finished = 0, NULL, succeeded / finished) AS success_rate,
    if(finished = 0, NULL, countIf(status IN ('succeeded', 'failed') AND rated) / finished) AS rated_share,
    countIf(status IN ('succeeded', 'failed') AND decision_id != '') AS routed,
    if(routed = 0, NULL, countIf(status = 'succeeded' AND decision_id != '') / routed) AS routed_success_rate,
    avgOrNullIf(duration_seconds, status IN ('succeeded', 'failed')) AS avg_duration_seconds,
    sum(t.unpriced_calls) <= {most_unpriced:Float64} * sum(greatest(t.llm_calls, t.unpriced_calls)) AS is_priced,
    countIf(status = 'succeeded' AND cost_known) AS priced_successes,
    if(priced_successes = 0 OR NOT is_priced, NULL, toFloat64(sumIf(t.cost_usd, cost_known)) / priced_successes) AS cost_per_success_usd
FROM (
    SELECT
        started_at, status, duration_seconds, decision_id, cost_usd, llm_calls, unpriced_calls,
        isNotNull(cost_usd) AND unpriced_calls <= {most_unpriced:Float64} * greatest(llm_calls, unpriced_calls) AS cost_known,
        task_id IN (
            SELECT task_id FROM evaluations FINAL
            WHERE task_id != '' AND (span_id = '' OR endsWith(task_id, span_id))) AS rated
    FROM tasks FINAL
    WHERE started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
) AS t
GROUP BY month
LIMIT {limit:UInt32}
