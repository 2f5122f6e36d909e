-- Every trace with a span that began in this time, whether its root has come, and when its newest span did.
SELECT TraceId, max(ParentSpanId = '')::Bool AS has_root, max(IngestedAt) AS last_seen
FROM otel_traces
WHERE TraceId IN
(
    SELECT DISTINCT TraceId FROM otel_traces
    WHERE Timestamp >= {since:DateTime64(9)} AND Timestamp < {until:DateTime64(9)}
)
GROUP BY TraceId
ORDER BY TraceId
