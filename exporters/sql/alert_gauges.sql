-- What do services say of their queues, processors, memory and disks? Of each series the last value of the last minutes.
SELECT metric, service, sumIf(value, metric = 'queue_length') + maxIf(value, metric != 'queue_length') AS value, count() AS n
FROM
(
    SELECT
        multiIf(
            MetricName = 'merit.queue.length', 'queue_length',
            MetricName IN ('system.cpu.utilization', 'process.cpu.utilization', 'container.cpu.utilization'), 'cpu',
            MetricName IN ('system.memory.utilization', 'process.memory.utilization', 'container.memory.utilization'), 'memory',
            'disk') AS metric,
        ServiceName AS service,
        argMax(Value, TimeUnix) AS value
    FROM otel_metrics_gauge
    WHERE TimeUnix >= {since:DateTime64(9)}
      AND MetricName IN ('merit.queue.length', 'system.cpu.utilization', 'process.cpu.utilization', 'container.cpu.utilization',
          'system.memory.utilization', 'process.memory.utilization', 'container.memory.utilization', 'system.filesystem.utilization')
      AND Attributes['state'] NOT IN ('idle', 'free', 'cached', 'buffered', 'slab_reclaimable', 'slab_unreclaimable', 'iowait')
      AND Attributes['system.cpu.state'] != 'idle' AND Attributes['cpu.mode'] != 'idle'
      AND bitAnd(Flags, 1) = 0
    GROUP BY metric, ServiceName, ResourceAttributes, Attributes
)
GROUP BY metric, service
LIMIT {limit:UInt32}
