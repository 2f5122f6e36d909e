-- Until when were the next rows of {table} after {since} stored, about {most} of them, and is there any? How many were stored within
-- {overlap} seconds before {since}, and how many within as long before that end?
WITH
    (
        SELECT max(stored_at)
        FROM (SELECT stored_at FROM {table:Identifier} WHERE stored_at > {since:DateTime64(3)} ORDER BY stored_at LIMIT {most:UInt32})
    ) AS newest,
    greatest(newest, {since:DateTime64(3)}) AS end
SELECT
    end AS until,
    countIf(stored_at <= {since:DateTime64(3)} AND stored_at > {since:DateTime64(3)} - toIntervalSecond({overlap:UInt32})) AS before,
    countIf(stored_at <= end AND stored_at > end - toIntervalSecond({overlap:UInt32})) AS then
FROM {table:Identifier}
WHERE stored_at > {since:DateTime64(3)} - toIntervalSecond({overlap:UInt32})
