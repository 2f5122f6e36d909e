-- Which alerts are open, or have been resolved lately?
SELECT *
FROM alerts FINAL
WHERE status != 'resolved' OR resolved_at >= {since:DateTime64(3)}
ORDER BY started_at DESC
LIMIT {limit:UInt32}
