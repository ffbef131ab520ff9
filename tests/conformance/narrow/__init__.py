"""Servers that are narrow in one place, each to be found by the core profile and named."""
