-- What do agents stand on: counts and moments by agent, category and whether the work is recent?
-- The usual duration of a task is the median of its category over the 30 UTC days before its own day, of at least 10 that
-- succeeded: exact up to 8,192 tasks, beyond of that many drawn by hash, so that the same tasks always have the same median.
WITH
daily AS (
    SELECT category, toDate(started_at) AS day, quantileDeterministicState(0.5)(duration_seconds, cityHash64(task_id)) AS durations, count() AS n
    FROM tasks FINAL
    WHERE status = 'succeeded' AND started_at >= {since:DateTime64(9)} - INTERVAL 31 DAY AND started_at < {until:DateTime64(9)}
    GROUP BY category, day
),
usual AS (
    SELECT category, daily.day + later AS day, quantileDeterministicMerge(0.5)(durations) AS median
    FROM daily
    ARRAY JOIN range(1, 31) AS later
    GROUP BY category, day
    HAVING sum(n) >= 10 AND median > 0
),
scored AS (
    SELECT
        tasks.agent_id AS agent_id,
        tasks.category AS category,
        started_at >= {recent_since:DateTime64(9)} AS recent,
        status = 'succeeded' AS ok,
        status IN ('succeeded', 'failed') AS finished,
        toFloat64(tasks.cost_usd) AS cost,
        tasks.cost_usd AS money,
        duration_seconds,
        llm_calls,
        unpriced_calls,
        status != 'running' AND isNotNull(tasks.cost_usd) AS priced,
        if(finished AND isNotNull(usual.median), if(ok, 1 / (1 + duration_seconds / usual.median), 0), NULL) AS speed
    FROM tasks FINAL
    LEFT JOIN usual ON usual.category = tasks.category AND usual.day = toDate(started_at)
    WHERE started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({category:Array(String)}) OR tasks.category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR hasAny(models, {model:Array(String)}))
      AND (empty({provider:Array(String)}) OR task_id IN (
          SELECT task_id FROM nodes FINAL
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}))
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
)
SELECT
    agent_id,
    category,
    recent,
    count() AS tasks,
    countIf(ok) AS succeeded,
    countIf(finished AND NOT ok) AS failed,
    sumIf(duration_seconds, finished) AS duration_sum,
    count(speed) AS speed_n,
    ifNull(sum(speed), 0) AS speed_sum,
    ifNull(sum(speed * speed), 0) AS speed_squares,
    countIf(priced) AS cost_n,
    countIf(priced AND ok) AS cost_succeeded,
    ifNull(sumIf(cost, priced), 0) AS cost_sum,
    ifNull(sumIf(cost * cost, priced), 0) AS cost_squares,
    ifNull(sumIf(cost, priced AND ok), 0) AS cost_of_succeeded,
    sum(money) AS total_cost_usd,
    sum(scored.llm_calls) AS llm_calls,
    sum(scored.unpriced_calls) AS unpriced_calls
FROM scored
GROUP BY agent_id, category, recent
LIMIT {limit:UInt32}
SETTINGS join_use_nulls = 1
