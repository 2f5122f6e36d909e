-- When was the last task, decision or report stored? Only later times than {since} are looked at; that time if there is none.
SELECT greatest(max(found.stored_at), {since:DateTime64(3)}) AS stored_at
FROM
(
    SELECT max(t.stored_at) AS stored_at FROM tasks AS t WHERE t.stored_at >= {since:DateTime64(3)}
    UNION ALL SELECT max(d.stored_at) FROM routing_decisions AS d WHERE d.stored_at >= {since:DateTime64(3)}
    UNION ALL SELECT max(o.stored_at) FROM routing_outcomes AS o WHERE o.stored_at >= {since:DateTime64(3)}
) AS found
