-- What was reported of decisions since, that no task reports itself?
WITH outcomes AS
(
    SELECT * FROM routing_outcomes FINAL
    WHERE stored_at >= {since:DateTime64(3)}
    ORDER BY received_at DESC
    LIMIT {most:UInt32}
)
SELECT
    outcomes.decision_id AS decision_id, decisions.kind AS kind, decisions.agent_id AS agent_id, decisions.category AS category,
    decisions.description AS description, decisions.complexity AS complexity, outcomes.success AS success,
    outcomes.quality AS quality, outcomes.cost_usd AS cost_usd, outcomes.duration_seconds AS duration_seconds,
    outcomes.received_at AS ended_at
FROM outcomes
INNER JOIN
(
    SELECT decision_id, kind, agent_id, category, description, complexity
    FROM routing_decisions
    WHERE decision_id IN (SELECT decision_id FROM outcomes)
    LIMIT 1 BY decision_id
) AS decisions ON decisions.decision_id = outcomes.decision_id
WHERE decisions.agent_id != ''
ORDER BY ended_at, decision_id
LIMIT {most:UInt32}
