-- Until when were the next steps after {after} stored, about {most} of them, and how many are they?
SELECT max(stored_at) AS until, count() AS nodes
FROM
(
    SELECT stored_at FROM nodes WHERE stored_at > {after:DateTime64(3)} ORDER BY stored_at LIMIT {most:UInt32} WITH TIES
)
