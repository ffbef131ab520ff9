"""A conformance run under pytest: plan, calls, judgements."""
