"""For people to read and to take away: the overview, reports, exported lists."""
