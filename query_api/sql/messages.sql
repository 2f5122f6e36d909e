-- What passed between agents: who called whom, who handed over, how long did it take and did it succeed? In all, and each pair.
-- A call is a task that works for another agent's, of the same trace; of a handoff inside which such a task begins, the task is the
-- answer, and the two are one message. Traces with handoffs are looked up first, as in `agent_steps`, and so are those with calls
-- where {narrow} says that they are few. Tasks are put together trace by trace, in the order in which they are stored, for to join
-- them by their ids takes more memory and longer: sorted by a number of the task, even of the caller and one more of its calls, each
-- call stands behind its caller. To look for the caller among all tasks of the trace takes these once for each call.
WITH
handoffs AS
(
    SELECT task_id, agent_id, node_name, started_at, success, duration_seconds
    FROM nodes FINAL
    PREWHERE trace_id IN (
        SELECT trace_id FROM nodes
        WHERE operation = 'handoff' AND started_at >= {before:DateTime64(9)} AND started_at < {until:DateTime64(9)}
          AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)}))
    WHERE operation = 'handoff'
      AND started_at >= {before:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
      AND (empty({status:Array(String)}) OR trace_id IN (
          SELECT trace_id FROM workflows FINAL WHERE status IN {status:Array(String)} AND started_at >= {before:DateTime64(9)}))
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND empty({model:Array(String)}) AND empty({provider:Array(String)})
),
answers AS
(
    SELECT parent_task_id, groupArray(started_at) AS began
    FROM tasks FINAL
    PREWHERE trace_id IN (SELECT substring(task_id, 1, 32) FROM handoffs)
    WHERE parent_task_id IN (SELECT task_id FROM handoffs)
      AND started_at >= {before:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
    GROUP BY parent_task_id
)
SELECT
    m.from_agent_id AS from_agent_id,
    m.to_agent_id AS to_agent_id,
    (grouping(m.from_agent_id) = 1)::Bool AS is_total,
    m.period AS period,
    count() AS messages,
    countIf(kind = 'call') AS calls,
    countIf(kind = 'handoff') AS handoffs,
    countIf(ended) AS finished,
    countIf(ok) AS succeeded,
    if(finished = 0, NULL, succeeded / finished) AS success_rate,
    avgOrNullIf(m.seconds, m.ended) AS avg_response_seconds,
    quantileExactInclusiveOrNullIf(0.95)(m.seconds, m.ended) AS p95_response_seconds
FROM
(
    SELECT
        caller.2 AS from_agent_id,
        called.2 AS to_agent_id,
        if(called.3, 'now', 'before') AS period,
        'call' AS kind,
        called.4 AS ended,
        called.5 AS ok,
        called.6 AS seconds
    FROM
    (
        SELECT
            groupArray((cityHash64(t.span_id) * 2, toString(t.agent_id), false, false, false, t.duration_seconds)) AS known,
            groupArrayIf(
                (
                    cityHash64(substring(t.parent_task_id, 34)) * 2 + 1,
                    toString(t.agent_id),
                    t.started_at >= {since:DateTime64(9)},
                    t.status IN ('succeeded', 'failed'),
                    t.status = 'succeeded',
                    t.duration_seconds
                ),
                parent_task_id != ''
                AND started_at >= {before:DateTime64(9)}
                AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
                AND (empty({status:Array(String)}) OR trace_id IN (
                    SELECT trace_id FROM workflows FINAL WHERE status IN {status:Array(String)} AND started_at >= {before:DateTime64(9)}))
                AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
                AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
                AND (empty({provider:Array(String)}) OR task_id IN (
                    SELECT task_id FROM nodes FINAL
                    WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {before:DateTime64(9)}
                    UNION ALL
                    SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL
                    WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND first_started >= {before:DateTime64(9)}))
                AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
                AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
                AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})) AS calls,
            arraySort(one -> one.1, arrayConcat(known, calls)) AS sorted,
            arrayFill(one -> one.1 % 2 = 0, sorted) AS callers
        FROM tasks AS t FINAL
        PREWHERE NOT {narrow:Bool} OR trace_id IN (
            SELECT trace_id FROM tasks
            WHERE {narrow:Bool} AND parent_task_id != ''
              AND started_at >= {before:DateTime64(9)} AND started_at < {until:DateTime64(9)})
        WHERE started_at >= {before:DateTime64(9)} - INTERVAL 1 DAY AND started_at < {until:DateTime64(9)}
        GROUP BY t.trace_id
        HAVING notEmpty(calls)
    )
    ARRAY JOIN sorted AS called, callers AS caller
    WHERE caller.1 + 1 = called.1 AND from_agent_id != to_agent_id
    UNION ALL
    SELECT
        toString(agent_id) AS from_agent_id,
        toString(node_name) AS to_agent_id,
        if(started_at >= {since:DateTime64(9)}, 'now', 'before') AS period,
        'handoff' AS kind,
        true AS ended,
        success AS ok,
        duration_seconds AS seconds
    FROM handoffs
    LEFT JOIN answers ON answers.parent_task_id = handoffs.task_id
    WHERE NOT arrayExists(
        t -> t >= started_at AND t <= started_at + toIntervalNanosecond(toInt64(duration_seconds * 1e9)), answers.began)
) AS m
WHERE (empty({agent_id:Array(String)}) OR m.from_agent_id IN {agent_id:Array(String)} OR m.to_agent_id IN {agent_id:Array(String)})
GROUP BY GROUPING SETS ((m.period), (m.from_agent_id, m.to_agent_id, m.period))
HAVING is_total OR {by_agent:Bool}
ORDER BY is_total DESC, messages DESC, from_agent_id, to_agent_id, period
LIMIT {limit:UInt32}
SETTINGS optimize_aggregation_in_order = 1
