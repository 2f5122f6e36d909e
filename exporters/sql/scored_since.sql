-- From which minute up to which did tasks begin that were scored after version {done}? No row if none were.
SELECT toDateTime64(min(at), 3, 'UTC') AS since, toDateTime64(max(at), 3, 'UTC') AS until FROM task_scores WHERE version > {done:UInt64} HAVING count() > 0
