-- Which agents are there, who was at work last, and what have they done?
-- The registry knows also those of whom no task is kept; where tasks are chosen, only agents that have some count.
SELECT
    ifNull(k.agent_id, t.agent_id) AS agent_id,
    ifNull(k.agent_name, t.agent_name) AS agent_name,
    k.nickname AS nickname,
    ifNull(k.agent_type, t.agent_type) AS agent_type,
    ifNull(k.department, t.department) AS department,
    k.capabilities AS capabilities,
    arraySort(k.edited) AS edited,
    arraySort(arrayDistinct(arrayConcat(k.services, t.services))) AS services,
    if(t.first_seen < k.first_seen, t.first_seen, ifNull(k.first_seen, t.first_seen)) AS first_seen,
    if(t.last_seen > k.last_seen, t.last_seen, ifNull(k.last_seen, t.last_seen)) AS last_seen,
    ifNull(t.days_active, 0) AS days_active,
    ifNull(t.tasks, 0) AS tasks,
    ifNull(t.running, 0) AS running,
    ifNull(t.interrupted, 0) AS interrupted,
    ifNull(t.succeeded, 0) AS succeeded,
    ifNull(t.failed, 0) AS failed,
    if(succeeded + failed = 0, NULL, succeeded / (succeeded + failed)) AS success_rate,
    t.avg_duration_seconds AS avg_duration_seconds,
    ifNull(t.llm_calls, 0) AS llm_calls,
    ifNull(t.input_tokens, 0) AS input_tokens,
    ifNull(t.output_tokens, 0) AS output_tokens,
    ifNull(t.total_tokens, 0) AS total_tokens,
    t.total_cost_usd AS total_cost_usd,
    ifNull(t.unpriced_calls, 0) AS unpriced_calls,
    ifNull(t.finished_lately, 0) AS finished_lately,
    ifNull(t.failed_lately, 0) AS failed_lately
FROM
(
    SELECT
        u.agent_id AS agent_id,
        argMaxIf(u.agent_name, started_at, u.agent_name != '') AS agent_name,
        argMaxIf(u.agent_type, started_at, u.agent_type != '') AS agent_type,
        argMaxIf(u.department, started_at, u.department != '') AS department,
        groupUniqArrayIf(100)(service_name, service_name != '') AS services,
        min(started_at) AS first_seen,
        max(started_at) AS last_seen,
        uniqExact(toDate(started_at)) AS days_active,
        count() AS tasks,
        countIf(status = 'running') AS running,
        countIf(status = 'interrupted') AS interrupted,
        countIf(status = 'succeeded') AS succeeded,
        countIf(status = 'failed') AS failed,
        avgOrNullIf(duration_seconds, status IN ('succeeded', 'failed')) AS avg_duration_seconds,
        sum(u.llm_calls) AS llm_calls,
        sum(u.input_tokens) AS input_tokens,
        sum(u.output_tokens) AS output_tokens,
        sum(u.total_tokens) AS total_tokens,
        sum(u.cost_usd) AS total_cost_usd,
        sum(u.unpriced_calls) AS unpriced_calls,
        countIf(status IN ('succeeded', 'failed') AND ended_at >= {lately:DateTime64(9)}) AS finished_lately,
        countIf(status = 'failed' AND ended_at >= {lately:DateTime64(9)}) AS failed_lately
    FROM
    (
        SELECT * EXCEPT (input, output)
        FROM tasks FINAL
        PREWHERE empty({agent_id:Array(String)}) OR trace_id IN (SELECT trace_id FROM tasks WHERE agent_id IN {agent_id:Array(String)})
        WHERE started_at >= {since:DateTime64(9)}
          AND started_at < {until:DateTime64(9)}
          AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
          AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
          AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
          AND (empty({provider:Array(String)}) OR task_id IN (
              SELECT task_id FROM nodes FINAL
              WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}
              UNION ALL
              SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL
              WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND first_started >= {since:DateTime64(9)}))
          AND (empty({department:Array(String)}) OR department IN {department:Array(String)}
               OR agent_id IN (SELECT agent_id FROM known_agents WHERE department IN {department:Array(String)}))
          AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
          AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
    ) AS u
    GROUP BY agent_id
) AS t
FULL OUTER JOIN
(
    SELECT *
    FROM known_agents
    WHERE (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
) AS k ON k.agent_id = t.agent_id
WHERE t.tasks > 0
   OR ({registered:Bool} AND (empty({department:Array(String)}) OR k.department IN {department:Array(String)}))
ORDER BY last_seen DESC, agent_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
SETTINGS join_use_nulls = 1
