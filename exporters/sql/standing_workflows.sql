-- What the workflows of these traces say that does not come from their tasks.
SELECT trace_id, name, root_agent_id, services, started_at FROM workflows FINAL WHERE trace_id IN {trace_ids:Array(String)}
