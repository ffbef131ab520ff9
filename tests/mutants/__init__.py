"""One-bug mutants of the servers in examples/servers: what programmers get wrong, and whether the suite notices."""
