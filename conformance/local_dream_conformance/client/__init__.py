"""`local-dream generate` and `local-dream upscale`: one call to any server of the API, for a person who looks on."""
