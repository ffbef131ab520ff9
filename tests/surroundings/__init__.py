"""Right servers in all kinds of surroundings: none is to be found wrong. `python -m tests.surroundings` tries all."""
