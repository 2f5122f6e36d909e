-- Which alerts fired or went on from a time to another, the worst first? `is_anomaly`: found as a change against the agent's own past.
SELECT
    alert_id, rule, severity, status, agent_id, title, recommended_action, cause, started_at, fired_at, resolved_at,
    JSONHas(evidence, 'changes') AS is_anomaly,
    JSONExtract(evidence, 'traces', 'Array(String)') AS traces
FROM alerts FINAL
WHERE fired_at < {until:DateTime64(9)}
  AND (isNull(resolved_at) OR resolved_at >= {since:DateTime64(9)})
ORDER BY indexOf(['critical', 'warning', 'info'], severity), fired_at DESC, alert_id
LIMIT {limit:UInt32}
