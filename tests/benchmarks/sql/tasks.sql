-- The tasks that were made.
INSERT INTO tasks SELECT * FROM made
