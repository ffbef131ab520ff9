"""What the documentation site shows that is made: see `python -m tests.site`."""
