"""POST /upscale of the recorded releases: how they read its headers, and what they say of a model that is not there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local_dream_mockserver.faults.emulated.conversions import int_of, stoi
from local_dream_mockserver.faults.emulated.http_library import header_value
from local_dream_mockserver.faults.emulated.reader import Refusal, failed, invalid
from local_dream_mockserver.faults.middleware import Header

WIDTH, HEIGHT, PATH = "X-Image-Width", "X-Image-Height", "X-Upscaler-Path"
ON_A_PHONE = re.compile(
    rb"/data/(?:user/[0-9]+|data)/io\.github\.xororz\.localdream/(?!.*\.\./).+|(?:.*/)?up(?:scaler_\w+)?\.(?:mnn|bin)"
)
"""Where the app keeps its upscalers, and what they are called."""


@dataclass(frozen=True, slots=True)
class Upscale:
    """What a release takes the headers for. `dies`: it would not survive it."""

    width: int
    height: int
    path: bytes
    dies: bool = False

    @property
    def known(self) -> bool:
        """Whether the app itself would have put a model there."""
        return ON_A_PHONE.fullmatch(self.path) is not None

    def missing(self) -> Refusal:
        """What is said where there is no such model."""
        if self.path.lower().endswith(b".mnn"):
            return failed(b"Failed to create MNN interpreter from: " + self.path)
        return failed("Failed to initialize upscaler model")


def upscale_of(headers: Sequence[Header], length: int, *, wraps: bool) -> Upscale:
    """What the headers of an upscale say of a body of `length` bytes: numbers as std::stoi reads them. `wraps` says
    whether they are multiplied in 32 bits. Raises Refusal."""
    values = {name: header_value(headers, name) for name in (WIDTH, HEIGHT, PATH)}
    for name, value in values.items():
        if value is None:
            raise invalid(f"Missing '{name}' header")
    width, height = _number(values[WIDTH] or b""), _number(values[HEIGHT] or b"")
    wanted = int_of(width * height * 3) if wraps else width * height * 3
    if wanted != length:
        raise invalid(f"Image data size mismatch. Expected {wanted} bytes, got {length} bytes")
    dies = width < 0 or width * height * 3 != length
    return Upscale(width, height, values[PATH] or b"", dies)


def _number(text: bytes) -> int:
    """Raises Refusal: of no number in another way than of one that is too large."""
    try:
        return stoi(text)
    except ValueError:
        raise invalid("stoi") from None
    except OverflowError:
        raise failed("stoi") from None
