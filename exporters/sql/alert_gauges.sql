-- What do services say of their queues, and which part of processors, memory and disks they use? Of each series the last value of
-- the last minutes; states of one processor are added up, processors of one machine averaged, and of machines the worst counts.
SELECT metric, service, if(metric = 'queue_length', sum(of_machine), max(of_machine)) AS value, sum(series) AS n
FROM
(
    SELECT
        metric, service,
        multiIf(metric = 'queue_length', sum(of_part), metric = 'cpu', avg(of_part), max(of_part)) AS of_machine,
        sum(series) AS series
    FROM
    (
        SELECT metric, service, name, machine, part, sum(last) AS of_part, count() AS series
        FROM
        (
            SELECT
                multiIf(
                    MetricName = 'merit.queue.length', 'queue_length',
                    MetricName LIKE '%.cpu.%', 'cpu',
                    MetricName LIKE '%.memory.%', 'memory',
                    'disk') AS metric,
                ServiceName AS service,
                MetricName AS name,
                ResourceAttributes AS machine,
                arrayFirst(said -> said != '', [Attributes['state'], Attributes['cpu.mode'], Attributes['system.cpu.state'],
                    Attributes['process.cpu.state'], Attributes['container.cpu.state'], Attributes['system.memory.state'],
                    Attributes['system.filesystem.state']]) AS state,
                mapFilter((key, _) -> key != 'state' AND key NOT LIKE '%.state' AND key != 'cpu.mode', Attributes) AS part,
                argMax(Value, TimeUnix) AS last
            FROM otel_metrics_gauge
            WHERE TimeUnix >= {since:DateTime64(9)}
              AND MetricName IN ('merit.queue.length', 'system.cpu.utilization', 'process.cpu.utilization',
                  'container.cpu.utilization', 'system.memory.utilization', 'process.memory.utilization',
                  'container.memory.utilization', 'system.filesystem.utilization')
              AND bitAnd(Flags, 1) = 0
            GROUP BY ServiceName, MetricName, ResourceAttributes, Attributes
        )
        WHERE metric = 'queue_length'
           OR (metric = 'cpu' AND state NOT IN ('idle', 'iowait', 'wait', 'guest', 'guest_nice'))
           OR (metric IN ('memory', 'disk') AND state IN ('', 'used'))
        GROUP BY metric, service, name, machine, part
    )
    GROUP BY metric, service, name, machine
)
GROUP BY metric, service
LIMIT {limit:UInt32}
