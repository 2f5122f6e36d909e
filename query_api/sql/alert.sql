-- What is known of one alert?
SELECT *
FROM alerts FINAL
WHERE alert_id = {alert_id:String}
LIMIT 1
