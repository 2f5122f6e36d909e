-- How many bytes a second do services send and receive?
SELECT 'network_bytes_per_second' AS metric, ServiceName AS service, sum(rate) AS value, count() AS n
FROM
(
    SELECT ServiceName, (max(Value) - min(Value)) / dateDiff('second', min(TimeUnix), max(TimeUnix)) AS rate
    FROM otel_metrics_sum
    WHERE TimeUnix >= {since:DateTime64(9)}
      AND MetricName IN ('system.network.io', 'container.network.io')
      AND AggregationTemporality = 2 AND bitAnd(Flags, 1) = 0
    GROUP BY ServiceName, ResourceAttributes, Attributes, StartTimeUnix
    HAVING dateDiff('second', min(TimeUnix), max(TimeUnix)) > 0
)
GROUP BY service
LIMIT {limit:UInt32}
