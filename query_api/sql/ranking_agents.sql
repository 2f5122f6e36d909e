-- Who are the agents, since when are they known (whatever is chosen), and how long did the work that is chosen take? Of fewer than
-- 20 tasks nineteen in twenty are all. Work is read in the pieces that `agent_statistics` is read in, but at once: sketches of
-- durations can be put together here only; so days and {hours} are read whatever the category, where none is chosen. Nothing
-- is compiled, as in `agent_statistics`.
SELECT
    chosen.agent_id AS agent_id,
    if(known.agent_id = '', chosen.agent_name, known.agent_name) AS agent_name,
    if(known.agent_id = '', chosen.first_started, known.first_seen) AS first_seen,
    if(known.agent_id = '', chosen.last_started, known.last_seen) AS last_seen,
    days_active,
    p95_duration_seconds
FROM
(
    SELECT
        agent_id,
        argMaxIf(work.agent_name, work.last_started, work.agent_name != '') AS agent_name,
        min(work.first_started) AS first_started,
        max(work.last_started) AS last_started,
        uniqExactArray(work.days) AS days_active,
        multiIf(
            sum(work.ended) = 0, NULL,
            sum(work.ended) < 20, max(work.duration_most),
            least(max(work.duration_most), greatest(min(work.duration_least), quantileDDIfMerge(0.005, 0.95)(work.durations)))
        ) AS p95_duration_seconds
    FROM
    (
        SELECT agent_id, agent_name, days, first_started, last_started, ended, duration_least, duration_most, durations
        FROM agent_work_four_daily
        WHERE at >= toStartOfMinute(arrayMin({fours_begins:Array(DateTime64(9))})) AND at < arrayMax({fours_ends:Array(DateTime64(9))})
          AND arrayExists(
              (begin, end) -> moment >= begin AND moment < end, {fours_begins:Array(DateTime64(9))}, {fours_ends:Array(DateTime64(9))})
          AND by_category = notEmpty({category:Array(String)})
          AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
          AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
          AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
        UNION ALL
        SELECT agent_id, agent_name, days, first_started, last_started, ended, duration_least, duration_most, durations
        FROM agent_work_daily
        WHERE at >= toStartOfMinute(arrayMin({days_begins:Array(DateTime64(9))})) AND at < arrayMax({days_ends:Array(DateTime64(9))})
          AND arrayExists(
              (begin, end) -> moment >= begin AND moment < end, {days_begins:Array(DateTime64(9))}, {days_ends:Array(DateTime64(9))})
          AND by_category = notEmpty({category:Array(String)})
          AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
          AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
          AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
        UNION ALL
        SELECT agent_id, agent_name, days, first_started, last_started, ended, duration_least, duration_most, durations
        FROM {hours:Identifier}
        WHERE at >= toStartOfMinute(arrayMin({hours_begins:Array(DateTime64(9))})) AND at < arrayMax({hours_ends:Array(DateTime64(9))})
          AND arrayExists(
              (begin, end) -> moment >= begin AND moment < end, {hours_begins:Array(DateTime64(9))}, {hours_ends:Array(DateTime64(9))})
          AND by_category = notEmpty({category:Array(String)})
          AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
          AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
          AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
        UNION ALL
        SELECT
            agent_id, agent_name, [toDate(at)] AS days, first_started, last_started, succeeded + failed AS ended, duration_least,
            duration_most, durations
        FROM agent_minutely
        WHERE at >= toStartOfMinute(arrayMin({minutes_begins:Array(DateTime64(9))})) AND at < arrayMax({minutes_ends:Array(DateTime64(9))})
          AND arrayExists(
              (begin, end) -> moment >= begin AND moment < end, {minutes_begins:Array(DateTime64(9))}, {minutes_ends:Array(DateTime64(9))})
          AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
          AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
          AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
        UNION ALL
        SELECT
            agent_id, agent_name, [toDate(started_at)], started_at, started_at,
            (status IN ('succeeded', 'failed'))::UInt64 AS ended,
            if(ended > 0, duration_seconds, inf),
            if(ended > 0, duration_seconds, 0),
            initializeAggregation('quantileDDIfState(0.005, 0.95)', duration_seconds, ended::UInt8)
        FROM task_scores
        WHERE at >= toStartOfMinute(arrayMin({tasks_begins:Array(DateTime64(9))})) AND at < arrayMax({tasks_ends:Array(DateTime64(9))})
          AND arrayExists(
              (begin, end) -> started_at >= begin AND started_at < end, {tasks_begins:Array(DateTime64(9))}, {tasks_ends:Array(DateTime64(9))})
          AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
          AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
          AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
          AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
          AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
          AND (empty({provider:Array(String)}) OR task_id IN (
              SELECT concat(trace_id, '-', span_id) FROM task_calls
              WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)}))
    ) AS work
    GROUP BY agent_id
) AS chosen
LEFT JOIN agents AS known ON known.agent_id = chosen.agent_id
ORDER BY agent_id
LIMIT {limit:UInt32}
SETTINGS final = 1, compile_expressions = 0, compile_aggregate_expressions = 0
