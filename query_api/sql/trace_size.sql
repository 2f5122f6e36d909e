-- How many spans does this trace hold? Its time is looked up first, as Grafana does, so that only its days are read.
SELECT uniqExact(SpanId) AS spans
FROM otel_traces
WHERE TraceId = {trace_id:String}
  AND Timestamp >= (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace_id:String})
  AND Timestamp <= (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = {trace_id:String})
