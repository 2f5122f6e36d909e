-- Which span of these days received each of these responses of a model?
SELECT ResponseId AS response_id, any(TraceId) AS trace_id, any(SpanId) AS span_id
FROM otel_traces
WHERE ResponseId IN {response_id:Array(String)} AND Timestamp >= {since:DateTime64(9)}
GROUP BY ResponseId
LIMIT {limit:UInt32}
