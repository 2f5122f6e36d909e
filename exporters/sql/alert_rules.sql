-- Rules as people have edited them.
SELECT *
FROM alert_rules FINAL
ORDER BY name
LIMIT {limit:UInt32}
