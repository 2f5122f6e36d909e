-- Which decisions since has neither a task nor an outcome named? Nobody changes a decision, so none is there in two versions.
SELECT agent_id, decided_at
FROM routing_decisions
WHERE decided_at >= {since:DateTime64(9)}
  AND agent_id != ''
  AND decision_id NOT IN (
      SELECT decision_id FROM tasks WHERE decision_id != '' AND started_at >= {since:DateTime64(9)} - INTERVAL 1 DAY)
  AND decision_id NOT IN (SELECT decision_id FROM routing_outcomes WHERE received_at >= {since:DateTime64(9)})
ORDER BY decided_at DESC
LIMIT {limit:UInt32}
