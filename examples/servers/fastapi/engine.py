"""A stand-in for an engine. Its pictures are synthetic: sixteen colours that follow from the request."""

import base64
import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Pixels = NDArray[np.float32]  # (height, width, channels), 0..255


def picture(text: str | None, mode: str, size: tuple[int, int]) -> Pixels | None:
    """A picture from a field, cropped and scaled to size; mode is RGB or L. Raises ValueError."""
    if text is None:
        return None
    try:
        found = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG", "JPEG"])
        if found.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255
            found = Image.fromarray((np.asarray(found) // 257).astype(np.uint8))
        fitted = ImageOps.fit(found.convert(mode), size, Image.Resampling.BICUBIC)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a PNG or JPEG in base64 ({error})") from error
    return np.asarray(fitted, np.float32).reshape(size[1], size[0], -1)


def painting(about: object, size: tuple[int, int]) -> Pixels:
    """A picture that depends on every part of `about`: sixteen colours, enlarged."""
    colours = np.frombuffer(hashlib.sha512(repr(about).encode()).digest()[:48], np.uint8).reshape(4, 4, 3)
    return np.asarray(Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC), np.float32)


def paint(asked: Any, image: Pixels | None, mask: Pixels | None) -> tuple[Pixels, Pixels]:
    """The pictures where the denoising begins, and where it ends."""
    size = asked.width, asked.height
    about = (asked.prompt, asked.negative_prompt, asked.seed, asked.cfg, asked.steps, asked.scheduler)
    begin, end = painting(("noise", asked.seed), size), painting(about, size)
    if image is not None:
        begin, end = image, image + (end - image) * asked.denoise_strength
        if mask is not None:
            end = image + (end - image) * (mask / 255)
    return begin, end


def encoded(pixels: Pixels) -> str:
    return base64.b64encode(np.rint(pixels).clip(0, 255).astype(np.uint8).tobytes()).decode()


def enlarged(rgb: bytes, width: int, height: int) -> bytes:
    answer = io.BytesIO()
    large = Image.frombytes("RGB", (width, height), rgb).resize((width * 4, height * 4), Image.Resampling.BICUBIC)
    large.save(answer, "JPEG", quality=95)
    return answer.getvalue()
