-- How often do calls to each model fail at each provider? Over hours the sums of squares and products that tell how much
-- hours differ. Of {parts} traces one is looked at.
SELECT
    model, provider,
    count() AS hours,
    sum(n) AS calls_n, sum(bad) AS calls_sum, sum(n * n) AS calls_nn, sum(bad * bad) AS calls_xx, sum(n * bad) AS calls_nx
FROM
(
    SELECT
        toString(n.model) AS model, toString(n.provider) AS provider, toStartOfHour(started_at) AS hour,
        toFloat64(count()) AS n, toFloat64(countIf(NOT success)) AS bad
    FROM nodes AS n FINAL
    PREWHERE cityHash64(trace_id) % {parts:UInt32} = 0
    WHERE operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AND n.model != '' AND n.provider != ''
      AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
    GROUP BY model, provider, hour
)
GROUP BY model, provider
LIMIT {limit:UInt32}
