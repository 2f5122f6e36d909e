-- What is usual on the days from {since} to {until}?
SELECT category, day, usual_duration_seconds, usual_cost_usd, version
FROM medians FINAL
WHERE day >= {since:Date} AND day <= {until:Date}
