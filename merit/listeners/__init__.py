"""Where Merit listens, and who may come in: addresses, doors, certificates."""
