"""POST /sdapi/v1/extra-single-image: a picture enlarged to the size that is asked for; and png-info."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from local_dream_mockserver.server.a1111.listings import NONE
from local_dream_mockserver.server.engine import Limits, Rgb
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.image_input import decode_base64, read_picture

SCALE = 4
"""By how much an upscaler enlarges."""
FIT = 1
"""The mode that enlarges to a size; any other, by a factor."""
TEXT_SHOWN = 64 * 1024


@dataclass(frozen=True, slots=True)
class Enlargement:
    """What is to become of a picture. `size` is width and height in pixels; `upscaler` is "None" for none, and then the
    picture stays as it is."""

    picture: Rgb
    upscaler: str
    size: tuple[int, int]
    crop: bool

    def finished(self, large: Rgb) -> Rgb:
        """The enlarged picture in the size that is asked for."""
        image = Image.fromarray(large)
        if self.crop:
            return np.asarray(ImageOps.fit(image, self.size, Image.Resampling.LANCZOS))
        return np.asarray(image.resize(self.size, Image.Resampling.LANCZOS))


def enlargement(sent: dict[str, Any], limits: Limits, max_pixels: int) -> Enlargement:
    """Reads a request. Raises APIError (422, 400)."""
    text = sent.get("image")
    if not isinstance(text, str) or not text:
        raise APIError(422, "image: missing; send a picture as base64", code=Code.MISSING, field="image")
    picture = read_picture("image", text, max_pixels)
    height, width = picture.shape[:2]
    if max(width, height) > limits.max_upscale_side or width * height > limits.max_upscale_pixels:
        message = f"image: {width}x{height} is more than this server enlarges; send a smaller picture"
        raise APIError(422, message, code=Code.OVER_LIMIT, field="image")
    upscaler = sent.get("upscaler_1") or NONE
    if not isinstance(upscaler, str):
        raise APIError(422, "upscaler_1: not a string", code=Code.WRONG_TYPE, field="upscaler_1")
    crop = False
    if sent.get("resize_mode") == FIT:
        wanted = _side(sent, "upscaling_resize_w"), _side(sent, "upscaling_resize_h")
        crop = bool(sent.get("upscaling_crop", True))
        factor = max(wanted[0] / width, wanted[1] / height)
    else:
        factor = sent.get("upscaling_resize") or 2
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor <= 2 * SCALE:
            message = f"upscaling_resize: send a number above 0, at most {2 * SCALE}"
            raise APIError(422, message, code=Code.OUT_OF_RANGE, field="upscaling_resize")
    size = wanted if crop else (max(1, int(width * factor)), max(1, int(height * factor)))
    if max(size) > SCALE * limits.max_upscale_side or size[0] * size[1] > SCALE**2 * limits.max_upscale_pixels:
        message = f"upscaling_resize: {size[0]}x{size[1]} is more than this server makes"
        raise APIError(422, message, code=Code.OVER_LIMIT, field="upscaling_resize")
    return Enlargement(picture, upscaler, size, crop)


def png_info(sent: dict[str, Any]) -> dict[str, Any]:
    """The answer of POST /sdapi/v1/png-info: the texts in a picture. Raises APIError (400, 422)."""
    text = sent.get("image")
    if not isinstance(text, str) or not text:
        raise APIError(422, "image: missing; send a picture as base64", code=Code.MISSING, field="image")
    try:
        with Image.open(io.BytesIO(decode_base64("image", text.strip())), formats=("PNG", "JPEG", "WEBP")) as image:
            found = {str(name): value[:TEXT_SHOWN] for name, value in image.info.items() if isinstance(value, str)}
    except APIError:
        raise
    except Exception:  # the decoders raise whatever a broken file makes them raise
        raise APIError(422, "image: not a picture", code=Code.NOT_A_PICTURE, field="image") from None
    return {"info": found.pop("parameters", ""), "items": found, "parameters": {}}


def _side(sent: dict[str, Any], name: str) -> int:
    side = sent.get(name, 512)
    if isinstance(side, bool) or not isinstance(side, int) or side < 1:
        raise APIError(422, f"{name}: send a whole number of pixels from 1 up", code=Code.OUT_OF_RANGE, field=name)
    return side
