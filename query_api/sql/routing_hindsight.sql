-- How well did agents do in each category, whoever gave them the work?
SELECT
    category, agent_id, count() AS tasks, avg(toFloat64(status = 'succeeded')) AS success_rate
FROM tasks FINAL
WHERE started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)} AND status IN ('succeeded', 'failed')
GROUP BY category, agent_id
ORDER BY tasks DESC, category, agent_id
LIMIT {limit:UInt32}
