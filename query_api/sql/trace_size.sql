-- How many spans does this trace hold? Its time is looked up first, as Grafana does, so that only its days are read.
WITH (SELECT (min(Start), max(End) + 1) FROM otel_traces_trace_id_ts WHERE TraceId = {trace_id:String}) AS bounds
SELECT uniqExact(SpanId) AS spans
FROM otel_traces
WHERE TraceId = {trace_id:String}
  AND Timestamp >= bounds.1
  AND Timestamp <= bounds.2
