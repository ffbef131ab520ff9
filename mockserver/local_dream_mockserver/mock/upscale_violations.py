"""Judges requests of POST /upscale."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from local_dream_mockserver.mock.violation import Violation
from local_dream_mockserver.server.upscale import FLAGS

SIZES = {"X-Image-Width": "UPS-REQ-01", "X-Image-Height": "UPS-REQ-02"}
"""With the requirement that says what happens without them."""
FILES = {b"\x89PNG": "a PNG file", b"\xff\xd8\xff": "a JPEG file", b"RIFF": "a WebP file", b"{": "JSON"}


def upscale_breaches(headers: Headers, body: bytes) -> list[Violation]:
    """Missing and malformed X- headers, and a body that is not width * height * 3 bytes of raw RGB."""
    found: list[Violation] = []
    sides = []
    for name, missing in SIZES.items():
        side = _side(name, missing, headers.getlist(name))
        if isinstance(side, Violation):
            found.append(side)
        else:
            sides.append(side)
    paths = headers.getlist("X-Upscaler-Path")
    if not paths or not paths[0].strip():
        found.append(Violation("UPS-REQ-03", "X-Upscaler-Path", "missing; send the name of an upscale model"))
    elif len(paths) > 1:
        found.append(Violation(None, "X-Upscaler-Path", f"sent {len(paths)} times; send it once"))
    if headers.get("X-Use-OpenCL", "false").strip().lower() not in FLAGS:
        found.append(
            Violation("UPS-REQ-08", "X-Use-OpenCL", "not a boolean; send true, 1, false or 0, or leave it out")
        )
    if len(sides) == 2:
        found += _body(body, *sides)
    elif not body:
        found.append(Violation("UPS-REQ-07", "body", "empty; send raw RGB, width * height * 3 bytes"))
    return found


def _side(name: str, missing: str, values: list[str]) -> int | Violation:
    what = "send the picture's size in pixels as a whole number"
    if not values or not values[0].strip():
        return Violation(missing, name, f"missing; {what}")
    if len(values) > 1:
        return Violation(None, name, f"sent {len(values)} times; send it once")
    text = values[0].strip()
    if re.fullmatch(r"-[0-9]+", text):
        return Violation("UPS-REQ-13", name, f"negative; {what}")
    if re.match(r"[0-9]+[^0-9]", text):
        return Violation("UPS-REQ-14", name, f"a number with something behind it; {what}")
    if not re.fullmatch(r"[0-9]+", text):
        return Violation("UPS-REQ-04", name, f"not a number; {what}")
    if len(text) > 10 or int(text) >= 2**32:
        return Violation("UPS-REQ-15", name, f"beyond 32 bits; {what}")
    return int(text) or Violation("UPS-REQ-12", name, f"0; {what}")


def _body(body: bytes, width: int, height: int) -> list[Violation]:
    wanted = width * height * 3
    if len(body) == wanted:
        return []
    what = next((kind for start, kind in FILES.items() if body.startswith(start)), f"{len(body)} bytes")
    requirement = "UPS-REQ-07" if not body else "UPS-REQ-05" if len(body) < wanted else "UPS-REQ-06"
    return [Violation(requirement, "body", f"{what}; send raw RGB, {width} x {height} x 3 = {wanted} bytes")]
