-- Which alerts are or were there, the newest first?
SELECT * EXCEPT (key, pending_at, clear_since, version, is_deleted)
FROM alerts FINAL
WHERE started_at >= {since:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND status IN {status:Array(String)}
  AND (empty({severity:Array(String)}) OR severity IN {severity:Array(String)})
  AND (empty({rule:Array(String)}) OR rule IN {rule:Array(String)})
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({category:Array(String)}) OR JSONExtractString(scope, 'category') IN {category:Array(String)})
  AND (empty({model:Array(String)}) OR JSONExtractString(scope, 'model') IN {model:Array(String)})
  AND (empty({provider:Array(String)}) OR JSONExtractString(scope, 'provider') IN {provider:Array(String)})
  AND (empty({department:Array(String)}) OR JSONExtractString(scope, 'department') IN {department:Array(String)})
  AND (empty({service:Array(String)}) OR JSONExtractString(scope, 'service') IN {service:Array(String)})
  AND (started_at, alert_id) < (fromUnixTimestamp64Milli({after_ms:Int64}), {after_id:String})
ORDER BY started_at DESC, alert_id DESC
LIMIT {limit:UInt32}
