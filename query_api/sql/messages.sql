-- What passed between agents: who called whom, who handed over, how long did it take and did it succeed?
-- A call is a task that works for another agent's; of a handoff inside which such a task begins, the task is the answer, and
-- the two are one message.
WITH
called AS
(
    SELECT task_id, trace_id, parent_task_id, agent_id, started_at, duration_seconds, status
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
),
calls AS
(
    SELECT
        callers.agent_id AS from_agent_id,
        called.agent_id AS to_agent_id,
        called.parent_task_id AS parent_task_id,
        called.started_at AS started_at,
        'call' AS kind,
        status IN ('succeeded', 'failed') AS finished,
        status = 'succeeded' AS ok,
        called.duration_seconds AS seconds
    FROM called
    INNER JOIN
    (
        SELECT task_id, agent_id FROM tasks FINAL WHERE trace_id IN (SELECT trace_id FROM called)
    ) AS callers ON callers.task_id = called.parent_task_id
    WHERE callers.agent_id != called.agent_id
),
handoffs AS
(
    SELECT
        agent_id AS from_agent_id,
        node_name AS to_agent_id,
        task_id AS parent_task_id,
        started_at,
        'handoff' AS kind,
        true AS finished,
        success AS ok,
        duration_seconds AS seconds
    FROM nodes FINAL
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
starts AS
(
    SELECT parent_task_id, groupArray(started_at) AS started FROM calls GROUP BY parent_task_id
),
unanswered AS
(
    SELECT handoffs.*
    FROM handoffs
    LEFT JOIN starts ON starts.parent_task_id = handoffs.parent_task_id
    WHERE NOT arrayExists(t -> t >= started_at AND t <= started_at + toIntervalNanosecond(toInt64(seconds * 1e9)), starts.started)
)
SELECT
    if({by_agent:Bool}, from_agent_id, '') AS from_agent_id,
    if({by_agent:Bool}, to_agent_id, '') AS to_agent_id,
    if(started_at >= {since:DateTime64(9)}, 'now', 'before') AS period,
    count() AS messages,
    countIf(kind = 'call') AS calls,
    countIf(kind = 'handoff') AS handoffs,
    countIf(finished) AS finished,
    countIf(ok) AS succeeded,
    if(finished = 0, NULL, succeeded / finished) AS success_rate,
    avgOrNullIf(m.seconds, m.finished) AS avg_response_seconds,
    quantileExactInclusiveOrNullIf(0.95)(m.seconds, m.finished) AS p95_response_seconds
FROM (SELECT * FROM calls UNION ALL SELECT * FROM unanswered) AS m
WHERE (empty({agent_id:Array(String)}) OR m.from_agent_id IN {agent_id:Array(String)} OR m.to_agent_id IN {agent_id:Array(String)})
GROUP BY from_agent_id, to_agent_id, period
ORDER BY messages DESC, from_agent_id, to_agent_id, period
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
