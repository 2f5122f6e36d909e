-- Is there this decision?
SELECT decision_id FROM routing_decisions FINAL WHERE decision_id = {decision_id:String} LIMIT 1
