"""A TCP proxy that stands before any server of the API and makes its wire bad: `local-dream proxy`."""
