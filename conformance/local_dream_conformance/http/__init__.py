"""Calls to a target, and the record of each."""
