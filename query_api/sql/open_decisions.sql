-- Of how many routing decisions had nothing come back yet, at the end of each of two windows? They count as open for a while.
SELECT period, count() AS open_decisions
FROM
(
    SELECT decision_id, ends.1 AS period, ends.2 AS end
    FROM (SELECT decision_id, decided_at, agent_id, category FROM routing_decisions FINAL) AS decided
    ARRAY JOIN [('now', {until:DateTime64(9)}), ('before', {since:DateTime64(9)})] AS ends
    WHERE decided_at >= end - toIntervalMillisecond(toInt64({open_seconds:Float64} * 1000))
      AND decided_at < end
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
) AS asked
LEFT JOIN
(
    SELECT decision_id, min(closed_at) AS closed_at
    FROM
    (
        SELECT decision_id, toDateTime64(received_at, 9) AS closed_at FROM routing_outcomes FINAL
        UNION ALL
        SELECT decision_id, toDateTime64(ended_at, 9) AS closed_at
        FROM tasks FINAL
        PREWHERE trace_id IN (
            SELECT trace_id FROM tasks WHERE decision_id != '' AND started_at >= {before:DateTime64(9)} - INTERVAL 1 DAY)
        WHERE decision_id != '' AND status IN ('succeeded', 'failed') AND started_at >= {before:DateTime64(9)} - INTERVAL 1 DAY
    )
    GROUP BY decision_id
) AS closed ON closed.decision_id = asked.decision_id
WHERE closed.decision_id = '' OR closed.closed_at >= asked.end
GROUP BY period
LIMIT {limit:UInt32}
