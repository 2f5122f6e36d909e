-- Which part of their processors, memory and disks do machines use, by the seconds and bytes that they tell of? Of the last minutes.
SELECT metric, service, max(used) AS value, sum(series) AS n
FROM
(
    SELECT metric, service, machine, part, sumIf(much, is_used) / sum(much) AS used, count() AS series
    FROM
    (
        SELECT
            multiIf(MetricName = 'system.cpu.time', 'cpu', MetricName = 'system.memory.usage', 'memory', 'disk') AS metric,
            ServiceName AS service,
            ResourceAttributes AS machine,
            mapFilter((key, _) -> key IN ('device', 'mountpoint', 'system.device', 'system.filesystem.mountpoint'), Attributes) AS part,
            arrayFirst(said -> said != '', [Attributes['state'], Attributes['cpu.mode'], Attributes['system.cpu.state'],
                Attributes['system.memory.state'], Attributes['system.filesystem.state']]) AS state,
            if(metric = 'cpu', state NOT IN ('idle', 'iowait', 'wait'), state = 'used') AS is_used,
            if(metric = 'cpu', max(Value) - min(Value), argMax(Value, TimeUnix)) AS much
        FROM otel_metrics_sum
        WHERE TimeUnix >= {since:DateTime64(9)}
          AND MetricName IN ('system.cpu.time', 'system.memory.usage', 'system.filesystem.usage')
          AND AggregationTemporality = 2 AND bitAnd(Flags, 1) = 0
        GROUP BY ServiceName, MetricName, ResourceAttributes, Attributes, StartTimeUnix
    )
    GROUP BY metric, service, machine, part
    HAVING sum(much) > 0
)
GROUP BY metric, service
LIMIT {limit:UInt32}
