-- From which minute up to which were the calls that changed after version {done}? No row if none did.
SELECT toDateTime64(min(at), 3, 'UTC') AS since, toDateTime64(max(at), 3, 'UTC') AS until FROM task_calls WHERE version > {done:UInt64} HAVING count() > 0
