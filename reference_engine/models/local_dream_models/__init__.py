"""The weights of Local Dream Conformance: `text_to_image` (a diffusers folder) and `upscaler` (leaves-x4)."""
