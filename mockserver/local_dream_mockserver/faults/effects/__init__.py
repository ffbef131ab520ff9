"""What makes a fault of a function; see `local_dream_mockserver.faults`."""
