"""Fourfold enlargement by a small network, and by third parties' networks of two known kinds.

``Upscaler`` enlarges, ``Catalogue`` knows the models; errors derive from ``UpscalingError``.
Nothing here knows HTTP or JPEG. PyTorch is imported when one of the names is first used.
"""
