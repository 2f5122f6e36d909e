-- Which goals are set?
SELECT *
FROM goals FINAL
ORDER BY department, goal
LIMIT {limit:UInt32}
