-- When did each agent that sends heartbeats or metrics give its last sign of life, how regularly does it, and in how many
-- of the five-minute stretches that are over, since it is known and is listened to, did it give one?
WITH
    toStartOfFiveMinutes({now:DateTime64(3)}) AS here,
    toStartOfFiveMinutes({listening_since:DateTime64(3)} + INTERVAL 299 SECOND) AS listened_to
SELECT
    agent_id,
    any(ServiceName) AS service,
    count() AS n,
    toUnixTimestamp64Milli(max(time)) / 1000. AS heard_at,
    dateDiff('millisecond', max(time), {now:DateTime64(3)}) / 1000. AS silence,
    dateDiff('millisecond', min(time), max(time)) / 1000. / greatest(count() - 1, 1) AS every_seconds,
    uniqExactIf(toStartOfFiveMinutes(time), toStartOfFiveMinutes(time) >= listened_to AND time < here) AS stretches,
    greatest(dateDiff('minute', greatest(toStartOfFiveMinutes(min(time)), listened_to), here) / 5., 0) AS expected
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
