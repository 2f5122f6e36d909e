-- Of the traces that got spans in this time: which have more or newer spans stored than were derived, or were left running?
-- Of more than {largest} spans none is worked out.
-- In order, and only those after {after_seen}, {after_id}: the last ones of the answer before.
WITH fresh AS
(
    SELECT DISTINCT TraceId FROM otel_traces
    WHERE IngestedAt >= {since:DateTime64(3)} AND IngestedAt < {until:DateTime64(3)}
)
SELECT
    stored.TraceId AS TraceId, stored.first_seen AS first_seen, stored.last_seen AS last_seen, stored.has_root AS has_root,
    stored.spans AS spans, (stored.spans != derived.spans OR stored.last_seen > derived.ingested_at)::Bool AS grown
FROM
(
    SELECT
        TraceId, uniqExact(SpanId) AS spans, min(IngestedAt) AS first_seen, max(IngestedAt) AS last_seen,
        max(ParentSpanId = '')::Bool AS has_root, min(Timestamp) AS started
    FROM otel_traces
    WHERE TraceId IN fresh
      AND Timestamp >= (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN fresh)
    GROUP BY TraceId
) AS stored
LEFT JOIN
(
    SELECT
        trace_id, argMax(spans, version) AS spans, argMax(ingested_at, version) AS ingested_at, argMax(status, version) AS status
    FROM workflows
    WHERE trace_id IN fresh
    GROUP BY trace_id
) AS derived ON derived.trace_id = stored.TraceId
WHERE stored.started >= {horizon:DateTime64(9)}
  AND stored.spans <= {largest:UInt64}
  AND (grown OR derived.status = 'running')
  AND (stored.first_seen, stored.TraceId) > ({after_seen:DateTime64(3)}, {after_id:String})
ORDER BY stored.first_seen, stored.TraceId
LIMIT {most:UInt32}
