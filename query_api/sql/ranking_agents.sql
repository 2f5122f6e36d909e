-- Who are the agents, since when are they known (whatever is chosen), and how long did the work that is chosen take? Of fewer than
-- 20 tasks nineteen in twenty are all.
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
        argMax(work.agent_name, (work.agent_name != '', work.last_started)) AS agent_name,
        min(work.first_started) AS first_started,
        max(work.last_started) AS last_started,
        uniqExact(toDate(moment)) AS days_active,
        sum(work.succeeded + work.failed) AS ended,
        multiIf(
            ended = 0, NULL,
            ended < 20, max(work.duration_most),
            least(max(work.duration_most), greatest(min(work.duration_least), quantileDDIfMerge(0.005, 0.95)(durations)))
        ) AS p95_duration_seconds
    FROM agent_work(
        since = {since:DateTime64(9)}, until = {until:DateTime64(9)}, cuts = {cuts:Array(DateTime64(9))},
        user_id = {user_id:Array(String)}, model = {model:Array(String)}, provider = {provider:Array(String)},
        category = {category:Array(String)}, department = {department:Array(String)}, service = {service:Array(String)}) AS work
    GROUP BY agent_id
) AS chosen
LEFT JOIN (SELECT agent_id, agent_name, first_seen, last_seen FROM agents FINAL) AS known ON known.agent_id = chosen.agent_id
ORDER BY agent_id
LIMIT {limit:UInt32}
