"""Places in which a server can be narrow: it answers one valid form of a request with status 500, all else is right."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class Came:
    """A request as it came. Header names are in lower case; `spelt` has them as they were."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    spelt: tuple[str, ...] = field(default=())

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object with a text as prompt; {} where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) and isinstance(value.get("prompt"), str) else {}

    @property
    def prompt(self) -> str:
        return str(self.fields.get("prompt", ""))

    @property
    def negative(self) -> str:
        return str(self.fields.get("negative_prompt") or "")

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def number(self, name: str) -> float | None:
        """A field that is a number, None where it is none."""
        value = self.fields.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def picture(self, name: str) -> Image.Image | None:
        """The picture in a field, None where there is none."""
        try:
            return Image.open(io.BytesIO(base64.b64decode(self.fields.get(name) or "", validate=True)))
        except Exception:
            return None

    def mode(self, name: str) -> str:
        picture = self.picture(name)
        return picture.mode if picture else ""

    def depth(self, name: str) -> int:
        """Bits a channel of a PNG, 0 of anything else."""
        picture = self.picture(name)
        return base64.b64decode(self.fields[name])[24] if picture and picture.format == "PNG" else 0

    @property
    def sides(self) -> tuple[int, int]:
        """(width, height) of an upscale, (0, 0) where they are no numbers."""
        texts = [self.header(name) for name in ("x-image-width", "x-image-height")]
        width, height = (int(text) if text.isdigit() and len(text) < 6 else 0 for text in texts)
        return (width, height) if len(self.body) == width * height * 3 else (0, 0)


NO_SIZE = (0, 0)


def _both(came: Came) -> tuple[int, int]:
    width, height = came.number("width"), came.number("height")
    return (int(width), int(height)) if width and height else NO_SIZE


def _image_is(came: Came, name: str, fact: Callable[[Image.Image], object]) -> bool:
    picture = came.picture(name)
    return picture is not None and bool(fact(picture))


GENERATE: Mapping[str, tuple[str, Callable[[Came], object]]] = {
    "content-type-with-charset": ("GEN-REQ-24", lambda c: "charset" in c.header("content-type").lower()),
    "content-type-in-capitals": ("GEN-REQ-24", lambda c: "Application" in c.header("content-type")),
    "content-type-absent": ("GEN-REQ-24", lambda c: not c.header("content-type")),
    "content-type-text": ("GEN-REQ-25", lambda c: c.header("content-type").startswith("text/plain")),
    "header-names-in-lower-case": ("ROB-11", lambda c: "content-type" in c.spelt and "host" in c.spelt),
    "header-names-in-capitals": ("ROB-11", lambda c: "CONTENT-TYPE" in c.spelt),
    "accept-stream": ("ROB-11", lambda c: c.header("accept") == "text/event-stream"),
    "accept-language": ("ROB-11", lambda c: c.header("accept-language")),
    "accept-encoding": ("ROB-11", lambda c: "gzip" in c.header("accept-encoding")),
    "user-agent-of-a-browser": ("ROB-11", lambda c: "Mozilla" in c.header("user-agent")),
    "user-agent-of-an-app": ("ROB-11", lambda c: "okhttp" in c.header("user-agent")),
    "keep-alive": ("ROB-11", lambda c: c.header("connection").lower() == "keep-alive"),
    "chunked": ("ROB-05", lambda c: c.header("transfer-encoding")),
    "expect": ("ROB-06", lambda c: c.header("expect")),
    "json-indented": ("GEN-REQ-29", lambda c: b'{\n  "' in c.body),
    "json-compact": ("GEN-REQ-29", lambda c: b'":"' in c.body and b'": ' not in c.body),
    "json-raw": ("GEN-REQ-29", lambda c: c.fields and not c.body.isascii()),
    "json-escapes": ("GEN-REQ-29", lambda c: b"\\ud83c" in c.body),
    "json-slashes": ("GEN-REQ-29", lambda c: b"\\/" in c.body),
    "json-after-white-space": ("GEN-REQ-29", lambda c: c.fields and c.body[:1].isspace()),
    "json-line-end-at-the-end": ("GEN-REQ-29", lambda c: c.fields and c.body.endswith(b"\n")),
    "json-prompt-last": ("GEN-REQ-29", lambda c: list(c.fields)[-1:] == ["prompt"]),
    "prompt-quotes": ("GEN-REQ-26", lambda c: '"' in c.prompt),
    "prompt-apostrophe": ("GEN-REQ-26", lambda c: "'" in c.prompt),
    "prompt-backslash": ("GEN-REQ-26", lambda c: "\\" in c.prompt),
    "prompt-line-end": ("GEN-REQ-26", lambda c: "\n" in c.prompt),
    "prompt-carriage-return": ("GEN-REQ-26", lambda c: "\r" in c.prompt),
    "prompt-tab": ("GEN-REQ-26", lambda c: "\t" in c.prompt),
    "prompt-parentheses": ("GEN-REQ-26", lambda c: "(" in c.prompt),
    "prompt-brackets": ("GEN-REQ-26", lambda c: "[" in c.prompt),
    "prompt-braces": ("GEN-REQ-26", lambda c: "{" in c.prompt),
    "prompt-percent": ("GEN-REQ-26", lambda c: "%" in c.prompt),
    "prompt-markup": ("GEN-REQ-26", lambda c: "<" in c.prompt or "&" in c.prompt),
    "prompt-emoji": ("GEN-REQ-26", lambda c: any(ord(char) > 0xFFFF for char in c.prompt)),
    "prompt-korean": ("GEN-REQ-26", lambda c: any(0xAC00 <= ord(char) < 0xD7A4 for char in c.prompt)),
    "prompt-arabic": ("GEN-REQ-26", lambda c: any(0x600 <= ord(char) < 0x700 for char in c.prompt)),
    "prompt-combining": ("GEN-REQ-26", lambda c: "\u0301" in c.prompt),
    "prompt-beyond-77-tokens": ("GEN-REQ-26", lambda c: 77 < len(c.prompt.split()) < 1000),
    "prompt-beyond-1000-characters": ("GEN-REQ-26", lambda c: 1000 < len(c.prompt) < 10_000),
    "prompt-beyond-2000-bytes": ("GEN-REQ-26", lambda c: 2000 < len(c.prompt.encode()) < 10_000),
    "prompt-of-one-character": ("GEN-REQ-26", lambda c: len(c.prompt) == 1),
    "prompt-like-a-path": ("GEN-REQ-26", lambda c: "/" in c.prompt[1:50]),
    "prompt-that-begins-with-a-slash": ("GEN-REQ-26", lambda c: c.prompt.startswith("/")),
    "prompt-with-an-open-bracket": ("GEN-REQ-26", lambda c: c.prompt.count("[") != c.prompt.count("]")),
    "prompt-longer-than-its-negative": (
        "GEN-REQ-23",
        lambda c: c.negative and len(c.prompt.split()) > 75 > len(c.negative.split()),
    ),
    "negative-long": ("GEN-REQ-26", lambda c: len(c.negative.split()) > 60),
    "negative-beyond-1000-characters": ("GEN-REQ-26", lambda c: len(c.negative) > 1000),
    "cfg-integer": ("GEN-REQ-23", lambda c: isinstance(c.number("cfg"), int)),
    "cfg-1": ("GEN-REQ-23", lambda c: c.number("cfg") == 1),
    "cfg-0": ("GEN-REQ-23", lambda c: c.number("cfg") == 0),
    "strength-0": ("GEN-REQ-23", lambda c: c.fields.get("image") and c.number("denoise_strength") == 0),
    "strength-1": ("GEN-REQ-23", lambda c: c.fields.get("image") and c.number("denoise_strength") == 1),
    "strength-integer": ("GEN-REQ-23", lambda c: c.number("denoise_strength") == 1 and b'strength": 1.0' not in c.body),
    "steps-1": ("GEN-REQ-23", lambda c: c.number("steps") == 1),
    "steps-beyond-100": ("GEN-REQ-23", lambda c: (c.number("steps") or 0) > 100),
    "steps-sent-as-by-default": ("GEN-REQ-23", lambda c: c.number("steps") == 20),
    "seed-0": ("GEN-REQ-23", lambda c: c.number("seed") == 0),
    "seed-beyond-31-bits": ("GEN-REQ-23", lambda c: 2**31 <= (c.number("seed") or 0) < 2**32),
    "seed-max": ("GEN-REQ-23", lambda c: c.number("seed") == 2**32 - 1),
    "tall": ("GEN-REQ-23", lambda c: _both(c)[1] > _both(c)[0]),
    "square": ("GEN-REQ-23", lambda c: _both(c)[1] == _both(c)[0] > 0),
    "not-a-multiple-of-64": ("GEN-REQ-23", lambda c: _both(c)[0] % 64 == 40),
    "width-alone": ("GEN-REQ-23", lambda c: "width" in c.fields and "height" not in c.fields),
    "euler-a-with-image": ("GEN-REQ-20", lambda c: c.fields.get("image") and c.fields.get("scheduler") == "euler_a"),
    "euler-a-with-mask": ("GEN-REQ-20", lambda c: c.fields.get("mask") and c.fields.get("scheduler") == "euler_a"),
    "opencl-true": ("GEN-REQ-23", lambda c: c.fields.get("use_opencl") is True),
    "opencl-false": ("GEN-REQ-23", lambda c: c.fields.get("use_opencl") is False),
    "previews-with-image": (
        "GEN-REQ-23",
        lambda c: c.fields.get("image") and c.fields.get("show_diffusion_process") and not c.fields.get("mask"),
    ),
    "stride-beyond-steps": ("GEN-REQ-23", lambda c: (c.number("show_diffusion_stride") or 0) > 100),
    "stride-0": ("GEN-REQ-21", lambda c: c.number("show_diffusion_stride") == 0),
    "unknown-fields": ("GEN-REQ-08", lambda c: "use_cfg" in c.fields),
    "image-null": ("GEN-REQ-09", lambda c: "image" in c.fields and c.fields["image"] is None),
    "mask-null": ("GEN-REQ-10", lambda c: "mask" in c.fields and c.fields["mask"] is None),
    "mask-null-with-image": (
        "GEN-REQ-10",
        lambda c: c.fields.get("image") and "mask" in c.fields and not c.fields["mask"],
    ),
    "image-jpeg": ("GEN-REQ-17", lambda c: _image_is(c, "image", lambda p: p.format == "JPEG")),
    "image-progressive": ("GEN-REQ-27", lambda c: _image_is(c, "image", lambda p: p.info.get("progressive"))),
    "image-exif": ("GEN-REQ-27", lambda c: _image_is(c, "image", lambda p: p.getexif())),
    "image-of-a-camera": (
        "GEN-REQ-27",
        lambda c: _image_is(c, "image", lambda p: p.format == "JPEG" and "jfif" not in p.info),
    ),
    "image-rgba": ("GEN-REQ-27", lambda c: c.mode("image") in ("RGBA", "LA", "PA")),
    "image-palette": ("GEN-REQ-27", lambda c: c.mode("image") == "P"),
    "image-grey": ("GEN-REQ-27", lambda c: c.mode("image") in ("L", "1")),
    "image-16-bit": ("GEN-REQ-27", lambda c: c.depth("image") == 16),
    "image-interlaced": ("GEN-REQ-27", lambda c: _image_is(c, "image", lambda p: p.info.get("interlace"))),
    "image-with-a-long-comment": ("GEN-REQ-27", lambda c: _image_is(c, "image", lambda p: p.info.get("Comment"))),
    "image-unfit": (
        "GEN-REQ-18",
        lambda c: _image_is(
            c, "image", lambda p: c.fields.get("steps") and p.size[0] * 4 < c.fields.get("width", 512) * 4
        ),
    ),
    "mask-rgb": ("GEN-REQ-28", lambda c: c.mode("mask") == "RGB"),
    "mask-rgba": ("GEN-REQ-28", lambda c: c.mode("mask") == "RGBA"),
    "mask-grey": ("GEN-REQ-28", lambda c: c.mode("mask") in ("L", "1")),
    "mask-jpeg": ("GEN-REQ-28", lambda c: _image_is(c, "mask", lambda p: p.format == "JPEG")),
    "mask-unfit": ("GEN-REQ-28", lambda c: _image_is(c, "mask", lambda p: _both(c) not in (p.size, NO_SIZE))),
    "mask-16-bit": ("GEN-REQ-28", lambda c: c.depth("mask") == 16),
    "body-of-a-megabyte": ("ROB-12", lambda c: 1 << 20 < len(c.body) < 1 << 22),
}
"""Of /generate: by name the requirement that is broken, and whether a request is of that form."""

UPSCALE: Mapping[str, tuple[str, Callable[[Came], object]]] = {
    "upscale-odd": ("UPS-REQ-17", lambda c: c.sides[0] % 2 or c.sides[1] % 2),
    "upscale-beyond-128": ("UPS-REQ-17", lambda c: max(c.sides) > 128),
    "upscale-beyond-256": ("UPS-REQ-17", lambda c: max(c.sides) > 256),
    "upscale-below-16": ("UPS-REQ-17", lambda c: 0 < min(c.sides) < 16),
    "upscale-of-one-row": ("UPS-REQ-17", lambda c: min(c.sides) == 1),
    "upscale-tall": ("UPS-REQ-17", lambda c: c.sides[1] > c.sides[0]),
    "upscale-square": ("UPS-REQ-17", lambda c: c.sides[1] == c.sides[0] > 0),
    "upscale-flag-true": ("UPS-REQ-08", lambda c: c.sides[0] and c.header("x-use-opencl") == "true"),
    "upscale-flag-1": ("UPS-REQ-08", lambda c: c.sides[0] and c.header("x-use-opencl") == "1"),
    "upscale-flag-0": ("UPS-REQ-08", lambda c: c.sides[0] and c.header("x-use-opencl") == "0"),
    "upscale-chunked": ("UPS-REQ-18", lambda c: c.sides[0] and c.header("transfer-encoding")),
    "upscale-without-type": ("UPS-REQ-18", lambda c: c.sides[0] and not c.header("content-type")),
    "upscale-names-in-lower-case": ("UPS-REQ-18", lambda c: c.sides[0] and "x-image-width" in c.spelt),
    "upscale-names-in-capitals": ("UPS-REQ-18", lambda c: c.sides[0] and "X-IMAGE-WIDTH" in c.spelt),
}
"""The same of /upscale."""
SPOTS = {**GENERATE, **UPSCALE}
