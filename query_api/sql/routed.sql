-- Which decisions were made, the newest first, and what came of each: by its id on a task, by trace and agent, or as reported? The
-- decisions and tasks of one trace and agent that name none are paired in order of time.
WITH
    traces AS
    (
        SELECT trace_id FROM routing_decisions
        WHERE trace_id != '' AND kind = 'agent' AND decided_at >= {since:DateTime64(9)} AND decided_at < {until:DateTime64(9)}
    )
SELECT
    d.decision_id AS decision_id, d.decided_at AS decided_at, d.kind AS kind, d.category AS category, d.complexity AS complexity,
    d.trace_id AS trace_id, d.strategy AS strategy, d.profile AS profile, d.quality_weight AS quality_weight,
    d.cost_weight AS cost_weight, d.speed_weight AS speed_weight, d.max_cost_usd AS max_cost_usd,
    d.max_duration_seconds AS max_duration_seconds, d.agent_id AS agent_id, d.probability AS probability,
    if({with_candidates:Bool}, d.candidates, []) AS candidates, if({with_candidates:Bool}, d.scores, []) AS scores,
    if({with_candidates:Bool}, d.deviations, []) AS deviations, if({with_candidates:Bool}, d.probabilities, []) AS probabilities,
    if({with_candidates:Bool}, d.worths, []) AS worths, if({with_candidates:Bool}, d.load_penalties, []) AS load_penalties,
    if({with_candidates:Bool}, d.cost_shares, []) AS cost_shares,
    if({with_candidates:Bool}, d.duration_shares, []) AS duration_shares,
    if({with_candidates:Bool}, d.barred_by, []) AS barred_by, if({with_candidates:Bool}, d.on_probation, []) AS on_probation,
    length(d.candidates) AS candidate_count,
    arrayFilter((cost, bar) -> bar = '' AND isFinite(cost), d.costs_usd, d.barred_by) AS known_costs,
    if(empty(known_costs), NULL, arrayAvg(known_costs)) AS usual_cost_usd,
    arrayMax(d.probabilities) AS likeliest, done.task_id AS task_id, done.tasks AS tasks,
    coalesce(done.success, told.success) AS success,
    coalesce(told.quality, judged.quality) AS quality,
    coalesce(done.cost_usd, told.cost_usd) AS cost_usd,
    coalesce(done.duration_seconds, told.duration_seconds) AS duration_seconds
FROM
(
    SELECT * FROM routing_decisions FINAL
    WHERE decided_at >= {since:DateTime64(9)} AND decided_at < {until:DateTime64(9)}
        AND (decided_at, decision_id) < (fromUnixTimestamp64Nano({after_ns:Int64}), {after_id:String})
        AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
        AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
        AND (empty({kind:Array(String)}) OR kind IN {kind:Array(String)})
        AND ({trace_id:String} = '' OR trace_id = {trace_id:String})
    ORDER BY decided_at DESC, decision_id DESC
    LIMIT {limit:UInt32}
) AS d
LEFT JOIN
(
    SELECT
        decision_id,
        concat(trace_id, ' ', agent_id, ' ', toString(row_number() OVER (
            PARTITION BY trace_id, agent_id ORDER BY decided_at, decision_id))) AS link
    FROM routing_decisions FINAL
    WHERE trace_id IN traces AND kind = 'agent' AND agent_id != '' AND decision_id NOT IN (
        SELECT decision_id FROM tasks
        WHERE decision_id != '' AND (trace_id IN traces OR started_at >= {since:DateTime64(9)} - INTERVAL 1 DAY))
) AS placed ON placed.decision_id = d.decision_id
LEFT JOIN
(
    SELECT
        link, count() AS tasks, min(each.task_id) AS task_id, toFloat64(min(each.status = 'succeeded')) AS success,
        toFloat64(sum(each.cost_usd)) AS cost_usd, max(each.duration_seconds) AS duration_seconds
    FROM
    (
        SELECT
            task_id, status, cost_usd, duration_seconds,
            if(decision_id != '', decision_id, concat(trace_id, ' ', agent_id, ' ', toString(row_number() OVER (
                PARTITION BY trace_id, agent_id, decision_id ORDER BY started_at, task_id)))) AS link
        FROM tasks FINAL
        WHERE trace_id IN traces OR (decision_id != '' AND started_at >= {since:DateTime64(9)} - INTERVAL 1 DAY)
    ) AS each
    WHERE each.status IN ('succeeded', 'failed')
    GROUP BY link
) AS done ON done.link = coalesce(placed.link, d.decision_id)
LEFT JOIN (SELECT * FROM routing_outcomes FINAL WHERE received_at >= {since:DateTime64(9)}) AS told ON told.decision_id = d.decision_id
LEFT JOIN
(
    SELECT task_id, avg(score) AS quality
    FROM evaluations FINAL
    WHERE task_id != '' AND span_id = '' AND criterion IN ('', 'accuracy', 'completeness', 'relevance')
        AND evaluated_at >= {since:DateTime64(9)} - INTERVAL 1 DAY
    GROUP BY task_id
) AS judged ON judged.task_id = done.task_id
ORDER BY decided_at DESC, decision_id DESC
SETTINGS join_use_nulls = 1
