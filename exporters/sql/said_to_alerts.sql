-- What did people do to these alerts?
SELECT *
FROM alert_events FINAL
WHERE alert_id IN {alert_ids:Array(String)}
  AND event IN ('acknowledged', 'resolved')
  AND by != 'merit'
