-- What happened to an alert, in order?
SELECT *
FROM alert_events FINAL
WHERE alert_id = {alert_id:String} AND startsWith(event_id, {alert_id:String})
ORDER BY at, event_id
LIMIT {limit:UInt32}
