"""The README and the pages of docs/: every command in them is run, in order, as a reader would."""
