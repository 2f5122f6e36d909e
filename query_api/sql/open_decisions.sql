-- Of how many routing decisions that named somebody had nothing come back yet, at the end of each of two windows? They count as open
-- for a while. The decisions and tasks of one trace and agent that name none are paired in order of time.
WITH
    traces AS
    (
        SELECT trace_id FROM routing_decisions
        WHERE trace_id != '' AND kind = 'agent' AND decided_at < {until:DateTime64(9)}
            AND decided_at >= {since:DateTime64(9)} - toIntervalMillisecond(toInt64({open_seconds:Float64} * 1000))
    ),
    named AS
    (
        SELECT decision_id, trace_id FROM tasks
        WHERE decision_id != '' AND (trace_id IN traces OR started_at >= {before:DateTime64(9)} - INTERVAL 1 DAY)
    )
SELECT period, count() AS open_decisions
FROM
(
    SELECT decision_id, ends.1 AS period, ends.2 AS end
    FROM (SELECT decision_id, decided_at, agent_id, category FROM routing_decisions FINAL WHERE agent_id != '') AS decided
    ARRAY JOIN [('now', {until:DateTime64(9)}), ('before', {since:DateTime64(9)})] AS ends
    WHERE decided_at >= end - toIntervalMillisecond(toInt64({open_seconds:Float64} * 1000))
      AND decided_at < end
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
) AS asked
LEFT JOIN
(
    SELECT
        decision_id,
        concat(trace_id, ' ', agent_id, ' ', toString(row_number() OVER (
            PARTITION BY trace_id, agent_id ORDER BY decided_at, decision_id))) AS link
    FROM routing_decisions FINAL
    WHERE trace_id IN traces AND kind = 'agent' AND agent_id != '' AND decision_id NOT IN (SELECT decision_id FROM named)
) AS placed ON placed.decision_id = asked.decision_id
LEFT JOIN
(
    SELECT link, min(each.ended_at) AS closed_at
    FROM
    (
        SELECT
            status, toDateTime64(ended_at, 9) AS ended_at,
            if(decision_id != '', decision_id, concat(trace_id, ' ', agent_id, ' ', toString(row_number() OVER (
                PARTITION BY trace_id, agent_id, decision_id ORDER BY started_at, task_id)))) AS link
        FROM tasks FINAL
        PREWHERE trace_id IN traces OR trace_id IN (SELECT trace_id FROM named)
        WHERE trace_id IN traces OR (decision_id != '' AND started_at >= {before:DateTime64(9)} - INTERVAL 1 DAY)
    ) AS each
    WHERE each.status IN ('succeeded', 'failed')
    GROUP BY link
) AS done ON done.link = if(placed.link != '', placed.link, asked.decision_id)
LEFT JOIN (SELECT decision_id, toDateTime64(received_at, 9) AS closed_at FROM routing_outcomes FINAL) AS told
    ON told.decision_id = asked.decision_id
WHERE (done.link = '' OR done.closed_at >= asked.end) AND (told.decision_id = '' OR told.closed_at >= asked.end)
GROUP BY period
LIMIT {limit:UInt32}
