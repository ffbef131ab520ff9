"""The detection matrix: the suite against every fault and every quirk. `python -m tests.matrix` runs it."""
