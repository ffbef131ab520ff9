"""The long proof that no client breaks the servers: `python -m tests.reliability`, not part of the tests."""
