-- When did the newest span come that has been derived? No row if nothing has.
SELECT max(ingested_at) AS ingested_at FROM workflows HAVING count() > 0
