"""What `local-dream mock`, `proxy` and `serve` do with their command lines."""
