-- What has been accepted and is not in the store yet.
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    rows INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
-- The batch of each kind that is being stored: after a crash the very same one is stored again under the same token.
CREATE TABLE IF NOT EXISTS batches (
    kind TEXT PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    token TEXT NOT NULL
);
-- What accepted requests were told.
CREATE TABLE IF NOT EXISTS receipts (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    digests BLOB NOT NULL,
    outcomes TEXT NOT NULL
);
-- What the store will never take.
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    rows INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
