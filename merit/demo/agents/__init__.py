"""The demo's agents. Each is a function of a `Workday` and an assignment; what it raises is its failure."""
