"""The honest server: one HTTP layer for every engine. It knows no faults."""
