-- What was reported of decisions since, that no task reports itself?
SELECT
    outcomes.decision_id AS decision_id, decisions.kind AS kind, decisions.agent_id AS agent_id, decisions.category AS category,
    decisions.description AS description, decisions.complexity AS complexity, outcomes.success AS success,
    outcomes.quality AS quality, outcomes.cost_usd AS cost_usd, outcomes.duration_seconds AS duration_seconds,
    outcomes.received_at AS ended_at
FROM
(
    SELECT * FROM routing_outcomes FINAL
    WHERE stored_at >= {since:DateTime64(3)}
    ORDER BY received_at DESC
    LIMIT {most:UInt32}
) AS outcomes
INNER JOIN (SELECT * FROM routing_decisions FINAL) AS decisions ON decisions.decision_id = outcomes.decision_id
WHERE decisions.agent_id != ''
ORDER BY ended_at, decision_id
LIMIT {most:UInt32}
