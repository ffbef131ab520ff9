"""The engine's limits on the size of a picture, in the words of whichever field asked for it."""

from __future__ import annotations

from collections.abc import Mapping

from local_dream_mockserver.server.engine import Limits
from local_dream_mockserver.server.errors import APIError, Code


def check_size(limits: Limits, sides: Mapping[str, int], width: int, height: int) -> None:
    """`sides` are the sides to check by the fields that they come from. Raises APIError (400) that names the field."""
    for name, side in sides.items():
        if not limits.min_side <= side <= limits.max_side:
            span = f"{limits.min_side} to {limits.max_side}"
            gives = "gives a side of " if name == "aspect_ratio" else ""
            message = f"{name}: {gives}{side} is not within this server's {span}; send one that is"
            raise APIError(400, message, code=Code.OVER_LIMIT, field=name)
    if width * height > limits.max_pixels:
        fields = ", ".join(sides)
        message = (
            f"{fields}: {width}x{height} is more than this server's {limits.max_pixels} pixels; send a smaller size"
        )
        raise APIError(400, message, code=Code.OVER_LIMIT, field=fields)
