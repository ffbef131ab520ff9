"""Hostile targets: servers that send what breaks a careless reader, and what a run at each of them must end in."""
