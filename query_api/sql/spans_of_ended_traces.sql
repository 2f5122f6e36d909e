-- Which spans do these traces have, as far as they have ended and hold a task?
SELECT DISTINCT TraceId, SpanId, ParentSpanId
FROM otel_traces
WHERE TraceId IN (SELECT trace_id FROM workflows FINAL WHERE trace_id IN {trace_id:Array(String)} AND status != 'running')
LIMIT {limit:UInt32}
