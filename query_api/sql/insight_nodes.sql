-- How did the steps of each agent fare, but for model calls: failures, what became of the tasks in which one failed, and the part
-- of a task's time that a tool took, calls at the same time counted once and none beyond the task's own time? Over hours the sums of
-- squares and products that tell how much hours differ. Of {parts} traces one is looked at.
SELECT
    agent_id, node_name, operation,
    count() AS hours,
    sum(n) AS calls_n, sum(bad) AS calls_sum, sum(n * n) AS calls_nn, sum(bad * bad) AS calls_xx, sum(n * bad) AS calls_nx,
    sum(timed) AS share_n, sum(shares) AS share_sum, sum(timed * timed) AS share_nn, sum(shares * shares) AS share_xx,
    sum(timed * shares) AS share_nx,
    sum(took) / nullIf(sum(timed), 0) AS seconds,
    sum(used) AS tasks, sum(hit) AS tasks_hit, sum(failed_and_hit) AS failed_hit, sum(failed_and_spared) AS failed_spared,
    arraySlice(arrayFilter(t -> t != '', groupArray(6)(one_hit)), 1, 6) AS task_ids
FROM
(
    SELECT
        agent_id, node_name, operation, toStartOfHour(at) AS hour,
        toFloat64(sum(calls)) AS n,
        toFloat64(sum(failures)) AS bad,
        toFloat64(countIf(is_tool AND ended > 0)) AS timed,
        sumIf(least(busy / ended, 1), is_tool AND ended > 0) AS shares,
        sumIf(least(busy, ended), is_tool AND ended > 0) AS took,
        count() AS used,
        countIf(failures > 0) AS hit,
        countIf(failures > 0 AND failed) AS failed_and_hit,
        countIf(failures = 0 AND failed) AS failed_and_spared,
        if(hit > 0, anyIf(task_id, failures > 0), any(task_id)) AS one_hit
    FROM
    (
        SELECT
            task_id, toString(n.agent_id) AS agent_id, toString(n.node_name) AS node_name, toString(n.operation) AS operation,
            count() AS calls, countIf(NOT n.success) AS failures,
            intervalLengthSum(toUnixTimestamp64Nano(n.started_at) AS begun, begun + toInt64(n.duration_seconds * 1e9)) / 1e9 AS busy,
            n.operation IN ('execute_tool', 'retrieval', 'rerank', 'guardrail') AS is_tool
        FROM nodes AS n FINAL
        PREWHERE cityHash64(trace_id) % {parts:UInt32} = 0
        WHERE n.operation IN ('execute_tool', 'retrieval', 'rerank', 'guardrail', 'node') AND n.node_name != ''
          AND n.started_at >= {since:DateTime64(9)} AND n.started_at < {until:DateTime64(9)}
        GROUP BY task_id, agent_id, node_name, operation, is_tool
    ) AS steps
    INNER JOIN
    (
        SELECT task_id, at, status = 'failed' AS failed, duration_seconds AS ended
        FROM task_scores FINAL
        WHERE cityHash64(trace_id) % {parts:UInt32} = 0
          AND at >= {since:DateTime64(9)} - INTERVAL 1 DAY AND at < {until:DateTime64(9)} AND status IN ('succeeded', 'failed')
    ) AS done USING (task_id)
    -- an agent that is wrapped as a tool has tasks of its own
    WHERE node_name NOT IN (SELECT toString(agent_name) FROM agents FINAL)
    GROUP BY agent_id, node_name, operation, hour
)
GROUP BY agent_id, node_name, operation
LIMIT {limit:UInt32}
