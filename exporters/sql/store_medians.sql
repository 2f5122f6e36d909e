-- Work out what is usual on the days from {since} to {until}, and store what differs from what is known. Medians are exact up to
-- 8,192 tasks, beyond of that many drawn by hash, so that the same tasks always have the same median.
INSERT INTO medians (category, day, duration_tasks, usual_duration_seconds, cost_tasks, usual_cost_usd, version, is_deleted)
WITH
daily AS
(
    SELECT
        category,
        toDate(at) AS day,
        count() AS duration_tasks,
        quantileDeterministicState(0.5)(duration_seconds, cityHash64(task_id)) AS durations,
        countIf(cost_known) AS cost_tasks,
        quantileDeterministicStateIf(0.5)(ifNull(toFloat64(cost_usd), 0), cityHash64(task_id), cost_known) AS costs
    FROM task_scores FINAL
    WHERE status = 'succeeded' AND at >= {since:Date} - INTERVAL 30 DAY AND at < {until:Date}
    GROUP BY category, day
),
found AS
(
    SELECT
        category,
        daily.day + later AS day,
        sum(daily.duration_tasks) AS duration_tasks,
        if(duration_tasks < {least:UInt64}, NULL, quantileDeterministicMerge(0.5)(durations)) AS usual_duration_seconds,
        sum(daily.cost_tasks) AS cost_tasks,
        if(cost_tasks < {least:UInt64}, NULL, quantileDeterministicMerge(0.5)(costs)) AS usual_cost_usd
    FROM daily
    ARRAY JOIN range(1, 31) AS later
    GROUP BY category, day
    HAVING day >= {since:Date} AND day <= {until:Date}
),
known AS
(
    SELECT category, day, usual_duration_seconds, usual_cost_usd
    FROM medians FINAL
    WHERE day >= {since:Date} AND day <= {until:Date}
)
SELECT
    coalesce(found.category, known.category, '') AS category,
    assumeNotNull(coalesce(found.day, known.day)) AS day,
    ifNull(found.duration_tasks, 0),
    found.usual_duration_seconds,
    ifNull(found.cost_tasks, 0),
    found.usual_cost_usd,
    {version:UInt64},
    0
FROM found
FULL JOIN known ON known.category = found.category AND known.day = found.day
WHERE isNull(known.day)
   OR isNull(found.day)
   OR found.usual_duration_seconds IS DISTINCT FROM known.usual_duration_seconds
   OR found.usual_cost_usd IS DISTINCT FROM known.usual_cost_usd
SETTINGS join_use_nulls = 1
