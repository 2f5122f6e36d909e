-- What do the metrics say, by name, service and agent, the newest time first?
-- A stream is one instance's series of one metric with one set of attributes since one start. What a cumulative stream added in
-- a bucket is its last value less that of the bucket before; of its first bucket, less 0 if it began within the window.
WITH
    points AS
    (
        SELECT
            replaceOne(_table, 'otel_metrics_', '') AS kind,
            MetricName AS name,
            MetricUnit AS unit,
            ServiceName AS service_name,
            arrayFirst(id -> id != '', agents) AS agent_id,
            [
                Attributes['merit.agent.id'], Attributes['gen_ai.agent.id'], Attributes['gen_ai.agent.name'],
                ResourceAttributes['merit.agent.id'], ResourceAttributes['gen_ai.agent.id'], ResourceAttributes['gen_ai.agent.name']
            ] AS agents,
            cityHash64(Attributes, ResourceAttributes, ScopeName, ScopeVersion, ScopeAttributes, StartTimeUnix) AS stream,
            kind IN ('gauge', 'sum') AS is_number,
            kind = 'gauge' OR (kind = 'sum' AND AggregationTemporality = 2 AND NOT IsMonotonic) AS is_level,
            kind = 'summary' OR AggregationTemporality = 2 AS is_cumulative,
            StartTimeUnix >= {since:DateTime64(9)} AS is_new,
            TimeUnix AS time,
            if(is_number, Value, Sum) AS number,
            if(isFinite(number), number, NULL) AS value,
            toInt64(Count) AS recorded,
            multiIf(
                {interval:String} = 'minute', toDateTime64(toStartOfMinute(TimeUnix), 3),
                {interval:String} = 'hour', toDateTime64(toStartOfHour(TimeUnix), 3),
                {interval:String} = 'day', toDateTime64(toStartOfDay(TimeUnix), 3),
                {interval:String} = 'week', toDateTime64(toStartOfWeek(TimeUnix, 1), 3),
                toDateTime64({since:DateTime64(9)}, 3)) AS bucket
        FROM merge(currentDatabase(), '^otel_metrics_(gauge|sum|histogram|exponential_histogram|summary)$') FINAL
        WHERE TimeUnix >= {since:DateTime64(9)}
          AND TimeUnix < {until:DateTime64(9)}
          AND (empty({name:Array(String)}) OR MetricName IN {name:Array(String)})
          AND (empty({service:Array(String)}) OR ServiceName IN {service:Array(String)})
          AND (empty({kind:Array(String)}) OR kind IN {kind:Array(String)})
          AND (empty({agent_id:Array(String)}) OR hasAny(if(agent_id = '', [''], arrayFilter(id -> id != '', agents)), {agent_id:Array(String)}))
          AND bitAnd(Flags, 1) = 0
    ),
    streams AS
    (
        SELECT
            kind, name, unit, service_name, agent_id, bucket, is_number, is_level, is_cumulative, stream,
            count() AS points,
            count(value) AS values,
            min(value) AS least,
            max(value) AS most,
            sum(value) AS total,
            argMax(value, time) AS newest,
            max(time) AS newest_time,
            sum(recorded) AS recorded_total,
            argMax(recorded, time) AS recorded_newest,
            any(is_new) AS is_new,
            lagInFrame(toNullable(newest)) OVER before AS previous,
            lagInFrame(toNullable(recorded_newest)) OVER before AS recorded_previous,
            if(is_new, 0, argMin(value, time)) AS baseline,
            if(is_new, 0, argMin(recorded, time)) AS recorded_baseline,
            if(is_cumulative, newest - coalesce(previous, baseline), total) AS added,
            if(is_cumulative, recorded_newest - coalesce(recorded_previous, recorded_baseline), recorded_total) AS recorded_added
        FROM points
        GROUP BY kind, name, unit, service_name, agent_id, bucket, is_number, is_level, is_cumulative, stream
        WINDOW before AS (
            PARTITION BY kind, name, unit, service_name, agent_id, is_cumulative, is_level, stream
            ORDER BY bucket ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
SELECT
    name,
    kind,
    unit,
    service_name,
    agent_id,
    bucket AS started_at,
    sum(s.points) AS points,
    argMaxIf(newest, newest_time, is_level) AS last,
    minIf(least, is_level) AS min,
    maxIf(most, is_level) AS max,
    if(is_number, sumIf(total, is_level) / nullIf(sumIf(values, is_level), 0), sum(added) / nullIf(count, 0)) AS avg,
    sumIf(added, NOT is_level) AS increase,
    if(is_number, NULL, sum(recorded_added)) AS count
FROM streams AS s
GROUP BY name, kind, unit, service_name, agent_id, bucket, is_number, is_level
ORDER BY started_at DESC, name, kind, unit, service_name, agent_id, is_level
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
