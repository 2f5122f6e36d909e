-- How many spans are stored of each of these traces?
SELECT TraceId, uniqExact(SpanId) AS spans
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
  AND Timestamp >= (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN {trace_ids:Array(String)})
  AND Timestamp <= (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId IN {trace_ids:Array(String)})
GROUP BY TraceId
ORDER BY TraceId
