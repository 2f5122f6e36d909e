-- When did each agent that sends heartbeats or metrics give its last sign of life, and how regularly does it?
SELECT
    agent_id,
    any(ServiceName) AS service,
    count() AS n,
    toUnixTimestamp64Milli(max(time)) / 1000. AS heard_at,
    dateDiff('millisecond', max(time), {now:DateTime64(3)}) / 1000. AS silence,
    dateDiff('millisecond', min(time), max(time)) / 1000. / greatest(count() - 1, 1) AS every_seconds,
    uniqExact(toStartOfFiveMinutes(time)) AS stretches,
    dateDiff('minute', toStartOfFiveMinutes(min(time)), toStartOfFiveMinutes({now:DateTime64(3)})) / 5. + 1 AS expected
FROM
(
    SELECT DISTINCT
        arrayFirst(id -> id != '', [
            Attributes['merit.agent.id'], Attributes['gen_ai.agent.id'], Attributes['gen_ai.agent.name'],
            ResourceAttributes['merit.agent.id'], ResourceAttributes['gen_ai.agent.id'], ResourceAttributes['gen_ai.agent.name']
        ]) AS agent_id,
        ServiceName,
        toDateTime64(TimeUnix, 3) AS time
    FROM merge(currentDatabase(), '^otel_metrics_(gauge|sum)$')
    WHERE TimeUnix >= {since:DateTime64(9)} AND TimeUnix <= {now:DateTime64(3)}
)
WHERE agent_id != ''
GROUP BY agent_id
LIMIT {limit:UInt32}
