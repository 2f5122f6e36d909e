-- Which silences are there at a time?
SELECT *
FROM silences FINAL
WHERE starts_at <= {now:DateTime64(3)} AND ends_at > {now:DateTime64(3)}
LIMIT {limit:UInt32}
