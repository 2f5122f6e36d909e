-- Until when were the next rows of {table} after {since} stored, about {most} of them, how many are they, and how many were stored
-- between {overlap} and {since}, some of which may have become readable late?
SELECT
    max(stored_at) AS until,
    count() AS new,
    (SELECT count() FROM {table:Identifier} WHERE stored_at > {overlap:DateTime64(3)} AND stored_at <= {since:DateTime64(3)}) AS known
FROM
(
    SELECT stored_at FROM {table:Identifier} WHERE stored_at > {since:DateTime64(3)} ORDER BY stored_at LIMIT {most:UInt32} WITH TIES
)
