-- What became of telling whom of what has happened since a time?
SELECT * FROM notifications FINAL WHERE at >= {since:DateTime64(3, 'UTC')} ORDER BY at, event_id LIMIT {limit:UInt32}
