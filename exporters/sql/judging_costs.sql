-- What judging has cost since a time.
SELECT sum(cost_usd) AS cost_usd
FROM judgements FINAL
WHERE judged_at >= {since:DateTime64(3)}
