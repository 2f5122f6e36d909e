-- What has happened to alerts since a time, and what the alerts are about, in order? Of too much the newest.
SELECT e.event_id, e.event, e.status AS status, e.severity AS severity, e.at, e.by, e.note, e.silenced AS silenced,
       e.alert_id AS alert_id, a.rule, a.agent_id, a.scope, a.title, a.evidence, a.recommended_action, a.cause, a.started_at
FROM (SELECT * FROM alert_events FINAL WHERE at >= {since:DateTime64(3, 'UTC')} ORDER BY at DESC, event_id DESC LIMIT {limit:UInt32}) AS e
INNER JOIN (
    SELECT * FROM alerts FINAL
    WHERE alert_id IN (SELECT alert_id FROM alert_events WHERE at >= {since:DateTime64(3, 'UTC')})
) AS a ON a.alert_id = e.alert_id
ORDER BY e.at, e.event_id
