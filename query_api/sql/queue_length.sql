-- How long are the queues at the end of each of two windows? Of each series the last value of the quarter of an hour before.
SELECT period, sum(value) AS queue_length
FROM
(
    SELECT
        if(TimeUnix >= {since:DateTime64(9)}, 'now', 'before') AS period,
        argMax(Value, TimeUnix) AS value
    FROM otel_metrics_gauge
    WHERE MetricName = 'merit.queue.length' AND bitAnd(Flags, 1) = 0
      AND ((TimeUnix >= {until:DateTime64(9)} - INTERVAL 15 MINUTE AND TimeUnix < {until:DateTime64(9)} AND TimeUnix >= {since:DateTime64(9)})
        OR (TimeUnix >= {since:DateTime64(9)} - INTERVAL 15 MINUTE AND TimeUnix < {since:DateTime64(9)}))
      AND (empty({service:Array(String)}) OR ServiceName IN {service:Array(String)})
    GROUP BY period, ServiceName, ResourceAttributes, ScopeName, Attributes
)
GROUP BY period
LIMIT {limit:UInt32}
