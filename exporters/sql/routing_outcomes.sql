-- What was reported of decisions since, and of which finished task: one that names the decision, else one that is paired with it? The
-- decisions and tasks of one trace and agent that name none are paired in order of time.
WITH
    outcomes AS
    (
        SELECT decision_id, success, quality, cost_usd, duration_seconds, received_at, version, stored_at
        FROM routing_outcomes FINAL
        WHERE stored_at >= {since:DateTime64(3)}
        ORDER BY received_at DESC
        LIMIT {most:UInt32}
    ),
    decided AS
    (
        SELECT decision_id, kind, agent_id, category, description, complexity, trace_id, decided_at
        FROM routing_decisions
        WHERE decision_id IN (SELECT decision_id FROM outcomes) AND agent_id != ''
        LIMIT 1 BY decision_id
    ),
    (SELECT min(decided_at) - INTERVAL 1 DAY FROM decided) AS begun,
    traces AS (SELECT trace_id FROM decided WHERE trace_id != '' AND kind = 'agent'),
    named AS (SELECT decision_id, trace_id FROM tasks WHERE decision_id != '' AND started_at >= begun)
SELECT
    decided.decision_id AS decision_id, decided.kind AS kind, decided.trace_id AS trace_id, decided.agent_id AS chosen,
    done.task_id AS task_id, done.success AS task_success,
    if(done.task_id != '' AND kind = 'agent', done.agent_id, decided.agent_id) AS agent_id,
    if(done.task_id != '', done.category, decided.category) AS category,
    if(done.task_id != '', done.description, decided.description) AS description,
    if(done.task_id != '', done.complexity, decided.complexity) AS complexity, outcomes.success AS success,
    outcomes.quality AS quality, outcomes.cost_usd AS cost_usd, outcomes.duration_seconds AS duration_seconds,
    outcomes.received_at AS ended_at, outcomes.version AS version, outcomes.stored_at AS stored_at
FROM outcomes
INNER JOIN decided ON decided.decision_id = outcomes.decision_id
LEFT JOIN
(
    SELECT
        decision_id,
        concat(trace_id, ' ', agent_id, ' ', toString(row_number() OVER (
            PARTITION BY trace_id, agent_id ORDER BY decided_at, decision_id))) AS link
    FROM routing_decisions FINAL
    WHERE trace_id IN traces AND kind = 'agent' AND agent_id != '' AND decision_id NOT IN (SELECT decision_id FROM named)
) AS placed ON placed.decision_id = outcomes.decision_id
LEFT JOIN
(
    SELECT
        link, min(each.task_id) AS task_id, toFloat64(min(each.status = 'succeeded')) AS success,
        argMin(each.agent_id, each.task_id) AS agent_id, argMin(each.category, each.task_id) AS category,
        argMin(each.description, each.task_id) AS description, argMin(each.complexity, each.task_id) AS complexity
    FROM
    (
        SELECT
            task_id, agent_id, category, status, substringUTF8(input, 1, 1000) AS description,
            if(complexity_said, tasks.complexity, 0) AS complexity,
            if(decision_id != '', decision_id, concat(trace_id, ' ', agent_id, ' ', toString(row_number() OVER (
                PARTITION BY trace_id, agent_id, decision_id ORDER BY started_at, task_id)))) AS link
        FROM tasks FINAL
        PREWHERE trace_id IN traces OR trace_id IN (SELECT trace_id FROM named WHERE decision_id IN (SELECT decision_id FROM decided))
        WHERE decision_id = '' OR decision_id IN (SELECT decision_id FROM decided)
    ) AS each
    WHERE each.status IN ('succeeded', 'failed')
    GROUP BY link
) AS done ON done.link = if(placed.link != '', placed.link, outcomes.decision_id)
ORDER BY ended_at, decision_id
LIMIT {most:UInt32}
