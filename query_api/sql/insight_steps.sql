-- About how many steps began from {since} until {until}? What was stored twice is counted twice.
SELECT count() AS steps FROM nodes WHERE started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)} LIMIT {limit:UInt32}
