-- Which traces that got spans since {since} miss a parent?
SELECT
    TraceId, min(IngestedAt) AS first_seen, max(IngestedAt) AS last_seen, max(ParentSpanId = '')::Bool AS has_root,
    uniqExact(SpanId) AS spans, true AS grown
FROM otel_traces
WHERE TraceId IN (SELECT DISTINCT TraceId FROM otel_traces WHERE IngestedAt >= {since:DateTime64(3)})
GROUP BY TraceId
HAVING NOT hasAll(groupUniqArray(SpanId), groupUniqArrayIf(ParentSpanId, ParentSpanId != ''))
