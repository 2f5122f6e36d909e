-- What is usual on the days from {since} to {until}?
SELECT category, day, usual_duration_seconds, usual_cost_usd
FROM medians FINAL
WHERE day >= {since:Date} AND day <= {until:Date} AND category IN {category:Array(String)}
ORDER BY category, day
LIMIT {limit:UInt32}
