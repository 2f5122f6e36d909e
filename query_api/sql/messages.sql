-- What passed between agents: who called whom, who handed over, how long did it take and did it succeed? In all, and each pair.
-- A call is a task that works for another agent's; of a handoff inside which such a task begins, the task is the answer, and
-- the two are one message. Traces with handoffs are looked up first, as in `agent_steps`.
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
        toString(callers.agent_id) AS from_agent_id,
        toString(called.agent_id) AS to_agent_id,
        if(called.started_at >= {since:DateTime64(9)}, 'now', 'before') AS period,
        'call' AS kind,
        called.status IN ('succeeded', 'failed') AS ended,
        called.status = 'succeeded' AS ok,
        called.duration_seconds AS seconds
    FROM
    (
        SELECT task_id, parent_task_id, agent_id, started_at, duration_seconds, status
        FROM tasks FINAL
        WHERE parent_task_id != ''
          AND started_at >= {before:DateTime64(9)}
          AND started_at < {until:DateTime64(9)}
          AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
          AND (empty({status:Array(String)}) OR trace_id IN (
              SELECT trace_id FROM workflows FINAL WHERE status IN {status:Array(String)} AND started_at >= {before:DateTime64(9)}))
          AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
          AND (empty({model:Array(String)}) OR hasAny(models, {model:Array(String)}))
          AND (empty({provider:Array(String)}) OR task_id IN (
              SELECT task_id FROM nodes FINAL
              WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {before:DateTime64(9)}))
          AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
          AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
          AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
    ) AS called
    INNER JOIN
    (
        SELECT task_id, agent_id
        FROM tasks FINAL
        WHERE started_at >= {before:DateTime64(9)} - INTERVAL 1 DAY AND started_at < {until:DateTime64(9)}
    ) AS callers ON callers.task_id = called.parent_task_id
    WHERE callers.agent_id != called.agent_id
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
