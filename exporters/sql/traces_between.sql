-- Every trace with a span that began in this time, and whether its root has come.
SELECT TraceId, max(ParentSpanId = '')::Bool AS has_root, max(IngestedAt) AS last_seen
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(9)} AND Timestamp < {until:DateTime64(9)}
GROUP BY TraceId
ORDER BY TraceId
