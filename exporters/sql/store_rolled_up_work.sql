-- Add up who worked and how long it took, of {source} by spans of {width} seconds: whatever the category, and by category where
-- {kinds} says so. Those in which a task was scored after version {done}, from {since} until {until}; `everything` adds up all.
INSERT INTO {into:Identifier}
(
    by_category, category, at, agent_id, department, service_name,
    agent_name, days, first_started, last_started, ended, duration_least, duration_most, durations, version, is_deleted
)
SELECT
    of_category,
    if(of_category, toString(source.category), '') AS kind,
    bucket, agent_id, department, service_name,
    argMaxIf(source.agent_name, source.last_started, source.agent_name != ''),
    arraySort(groupUniqArray(toDate(source.at))),
    min(source.first_started),
    max(source.last_started),
    sum(source.succeeded + source.failed),
    min(source.duration_least),
    max(source.duration_most),
    quantileDDIfMergeState(0.005, 0.95)(source.durations),
    {version:UInt64},
    0
FROM
(
    SELECT *, toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC') AS bucket
    FROM {source:Identifier}
    WHERE at >= {since:DateTime} AND at < {until:DateTime}
      AND ({everything:Bool} OR (bucket, agent_id) IN
      (
          SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id FROM task_scores WHERE version > {done:UInt64}
      ))
) AS source
ARRAY JOIN {kinds:Array(Bool)} AS of_category
GROUP BY of_category, kind, bucket, agent_id, department, service_name
