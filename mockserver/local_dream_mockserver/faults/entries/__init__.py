"""The faults and quirks, as functions; see `local_dream_mockserver.faults` for how they are written."""
