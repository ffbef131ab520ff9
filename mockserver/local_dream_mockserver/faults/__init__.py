"""Faults and quirks: what can be done to the honest server, which knows nothing of them. Each has a name."""
