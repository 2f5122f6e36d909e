-- What was kept of the request with this idempotency key? Its digest is how the ids of its evaluations begin.
SELECT *
FROM evaluations FINAL
WHERE startsWith(evaluation_id, {prefix:String})
LIMIT {limit:UInt32}
