-- Which tasks were scored under other settings than {scoring}, or against a usual that has changed since {medians_until}?
SELECT * EXCEPT (version, at), toDateTime64(at, 3, 'UTC') AS minute
FROM task_scores FINAL
WHERE scoring != {scoring:String}
   OR (
       (category, toDate(at)) IN (SELECT category, day FROM medians WHERE version > {medians_until:UInt64})
       AND (category, toDate(at), usual_version) NOT IN (SELECT category, day, version FROM medians FINAL WHERE version > {medians_until:UInt64})
   )
ORDER BY at
LIMIT {most:UInt32}
