-- Is a step that was stored after {after} up to {until} of a trace that had been derived before? One row if so.
SELECT trace_id FROM nodes WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)} AND again LIMIT 1
