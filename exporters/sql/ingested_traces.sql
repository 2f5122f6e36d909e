-- Which traces got spans since {since}?
SELECT DISTINCT TraceId FROM otel_traces WHERE IngestedAt >= {since:DateTime64(3)}
