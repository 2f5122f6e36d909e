-- Which is the first day that has been added up?
SELECT toDateTime64(minOrNull(at), 3, 'UTC') AS day
FROM agent_daily
