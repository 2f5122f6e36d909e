-- Which alerts fire, and nobody has acknowledged them?
SELECT alert_id, rule, severity, status, agent_id, scope, title, evidence, recommended_action, cause, started_at, fired_at, silenced
FROM alerts FINAL
WHERE status = 'firing' AND fired_at <= {until:DateTime64(3, 'UTC')} AND NOT silenced
ORDER BY fired_at, alert_id
LIMIT {limit:UInt32}
