-- How many tasks a month does each agent do?
SELECT agent_id, sum(succeeded + failed) * 30. / {days:Float64} AS tasks_a_month
FROM agent_hourly FINAL
WHERE at >= {since:DateTime}
GROUP BY agent_id
LIMIT {limit:UInt32}
