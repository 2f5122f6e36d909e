-- Which models does an agent use, and since when?
SELECT model, min(started_at) AS since, max(started_at) AS last_seen, count() AS tasks
FROM tasks FINAL
ARRAY JOIN models AS model
WHERE agent_id = {agent:String} AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
GROUP BY model
ORDER BY last_seen DESC, model
LIMIT {limit:UInt32}
