-- Which services have begun or finished tasks lately, and how many decisions wait for theirs?
SELECT service_name AS service, count() AS tasks, 0::UInt64 AS decisions
FROM tasks FINAL
WHERE started_at >= {since:DateTime64(9)}
GROUP BY service
UNION ALL
SELECT '' AS service, 0::UInt64 AS tasks, count() AS decisions
FROM routing_decisions FINAL
WHERE decided_at >= {since:DateTime64(9)}
  AND decision_id NOT IN (SELECT decision_id FROM tasks FINAL WHERE started_at >= {since:DateTime64(9)})
  AND decision_id NOT IN (SELECT decision_id FROM routing_outcomes FINAL)
LIMIT {limit:UInt32}
