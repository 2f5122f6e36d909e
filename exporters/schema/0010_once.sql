-- A batch of spans that comes again after a crash is once in the table of Grafana's trace view, too.
ALTER TABLE otel_traces_trace_id_ts MODIFY SETTING non_replicated_deduplication_window = 10000;
