-- What became of telling whom of what has happened since a time? Of too much the newest.
SELECT * FROM notifications FINAL WHERE at >= {since:DateTime64(3, 'UTC')} ORDER BY at DESC, event_id DESC LIMIT {limit:UInt32}
