"""The weights of Local Dream Conformance: `text_to_image` (diffusers) and `upscaler` (leaves-x4, snapshots-x4)."""
