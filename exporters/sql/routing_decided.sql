-- Which decisions were stored since, that may still be open? Nobody changes a decision, so none is there in two versions.
SELECT decision_id, kind, agent_id, trace_id, decided_at
FROM routing_decisions
WHERE stored_at >= {since:DateTime64(3)} AND decided_at >= {oldest:DateTime64(3)} AND agent_id != ''
ORDER BY decided_at DESC
LIMIT {most:UInt32}
