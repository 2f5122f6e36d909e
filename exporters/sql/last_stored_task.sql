-- When was the last task stored? Only later times than {since} are looked at; that time if there is none.
SELECT greatest(max(t.stored_at), {since:DateTime64(3)}) AS stored_at FROM tasks AS t WHERE t.stored_at >= {since:DateTime64(3)}
