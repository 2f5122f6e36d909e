-- Who are the agents, since when are they known (whatever is chosen), and how long did the work that is chosen take?
SELECT
    agent_id, known.agent_name AS agent_name, known.first_seen AS first_seen, known.last_seen AS last_seen, days_active,
    p95_duration_seconds
FROM
(
    SELECT
        agent_id,
        uniqExact(toDate(moment)) AS days_active,
        if(
            sum(work.succeeded + work.failed) = 0,
            NULL,
            least(max(work.duration_most), greatest(min(work.duration_least), quantileDDIfMerge(0.005, 0.95)(durations)))
        ) AS p95_duration_seconds
    FROM agent_work(
        since = {since:DateTime64(9)}, until = {until:DateTime64(9)}, cuts = {cuts:Array(DateTime64(9))},
        user_id = {user_id:Array(String)}, model = {model:Array(String)}, provider = {provider:Array(String)},
        category = {category:Array(String)}, department = {department:Array(String)}, service = {service:Array(String)}) AS work
    WHERE moment >= {chosen_since:DateTime64(9)}
    GROUP BY agent_id
) AS chosen
INNER JOIN
(
    SELECT
        agent_id,
        argMax(agent_name, (agent_name != '', last_started)) AS agent_name,
        min(first_started) AS first_seen,
        max(last_started) AS last_seen
    FROM agent_work(
        since = '1970-01-01 00:00:00', until = '2105-01-01 00:00:00', cuts = [], user_id = [], model = [], provider = [],
        category = [], department = [], service = [])
    GROUP BY agent_id
) AS known USING (agent_id)
ORDER BY agent_id
LIMIT {limit:UInt32}
