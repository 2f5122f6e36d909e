-- Which silences hold or will hold at a time, the first to end first?
SELECT *
FROM silences FINAL
WHERE ends_at > {now:DateTime64(3)}
  AND (empty({silence_id:String}) OR silence_id = {silence_id:String})
ORDER BY ends_at, silence_id
LIMIT {limit:UInt32}
