-- Since when has each service said without a break that something waits, in any of its queues? As far back as {since}.
SELECT service, min(waits_since) AS since
FROM
(
    SELECT
        ServiceName AS service,
        greatest(maxIf(TimeUnix, Value = 0), min(TimeUnix)) AS waits_since
    FROM otel_metrics_gauge
    WHERE MetricName = 'merit.queue.length' AND TimeUnix >= {since:DateTime64(9)} AND bitAnd(Flags, 1) = 0
    GROUP BY ServiceName, ResourceAttributes, Attributes
    HAVING argMax(Value, TimeUnix) > 0 AND max(TimeUnix) >= {lately:DateTime64(9)}
)
GROUP BY service
LIMIT {limit:UInt32}
