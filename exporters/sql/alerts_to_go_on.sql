-- Which alerts are open, have been resolved lately, or by somebody who accepts what has not been well since?
SELECT *
FROM alerts FINAL
WHERE status != 'resolved' OR resolved_at >= {since:DateTime64(3)} OR (resolved_by NOT IN ('', 'merit') AND clear_since IS NULL)
ORDER BY status = 'resolved', started_at DESC
LIMIT {limit:UInt32}
