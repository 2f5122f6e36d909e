-- Until when were the next evaluations after {after} stored, about {most} of them, and how many are they?
SELECT max(stored_at) AS until, count() AS evaluations
FROM
(
    SELECT stored_at FROM evaluations WHERE stored_at > {after:DateTime64(3)} ORDER BY stored_at LIMIT {most:UInt32} WITH TIES
)
