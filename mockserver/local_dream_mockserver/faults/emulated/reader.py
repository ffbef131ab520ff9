"""How the recorded releases read requests: as nlohmann::json converts values, with their words for what they refuse.

What the recordings (tests/recordings) show is as recorded; the rest follows from the JSON library's rules. Where the
real server would work with a value that makes no sense, this one takes the nearest that does.
"""

from __future__ import annotations

import json
import re
import struct
from typing import Any

from starlette.datastructures import Headers

from local_dream_mockserver.faults.effects.requests import AnyAnswer, Body, in_stream
from local_dream_mockserver.faults.hooks import Reader
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

WIDTH, HEIGHT, PATH = "X-Image-Width", "X-Image-Height", "X-Upscaler-Path"
FORMATS = ("raw", "jpeg", "png")
CODED = ("output_format", "preview_format")
SCHEDULERS = ("dpm", "euler_a", "lcm")
"""Every other name means dpm."""
NUMBERS: dict[str, type[int] | type[float]] = {
    "steps": int,
    "cfg": float,
    "seed": int,
    "width": int,
    "height": int,
    "size": int,
    "denoise_strength": float,
    "show_diffusion_stride": int,
}
STRINGS = ("negative_prompt", "scheduler", "image", "mask", *CODED)
FLAGS = ("show_diffusion_process", "use_opencl")
MOST_STEPS = 150
MOST_PIXELS = 2048


class Refusal(APIError):
    """An error answer, written as nlohmann::json writes it."""

    def body(self) -> bytes:
        return json.dumps({"error": {"message": self.message, "type": self.kind}}, separators=(",", ":")).encode()


def read(body: bytes, honest: Reader, *, formats: bool, mask_needs_image: bool, no_prompt: str) -> GenerationRequest:
    """Raises APIError. `no_prompt` is what an empty prompt is told, in the stream."""
    values = parsed(body)
    if not isinstance(values, dict) or "prompt" not in values:
        raise Refusal(400, "Invalid Arg: Missing 'prompt'")
    known: Body = {"prompt": string_of(values["prompt"])}
    known |= {name: _number(values[name], kind) for name, kind in NUMBERS.items() if name in values}
    known |= {name: string_of(values[name]) for name in STRINGS if name in values}
    known |= {name: _flag(values[name]) for name in FLAGS if name in values}
    coded = {name: known.pop(name, "raw") for name in CODED}
    if formats:
        known |= {name: format if format in FORMATS else "raw" for name, format in coded.items()}
    if "size" in known:
        known["width"] = known["height"] = known.pop("size")
    if not known["prompt"]:
        raise in_stream({"message": no_prompt, "type": "error"})
    if "mask" in known and "image" not in known:
        if mask_needs_image:
            raise Refusal(400, "Invalid Arg: Err proc mask: mask requires image")
        del known["mask"]
    what = "img" if mask_needs_image else "img/mask"
    for name in ("image", "mask"):
        if len(known.get(name, "")) % 4:
            raise Refusal(400, f"Invalid Arg: Err proc {what}: Invalid base64 length")
    try:
        return honest(json.dumps(_sensible(known)).encode())
    except APIError as problem:
        raise Refusal(400, f"Invalid Arg: Err proc {what}: Img size mismatch") from problem


def size_of(headers: Headers, length: int) -> tuple[int, int]:
    """Width and height that the headers of an upscale say of a body of `length` bytes.

    Numbers are read as std::stoi reads them, and multiplied in 32 bits. Raises Refusal.
    """
    for name in (WIDTH, HEIGHT, PATH):
        if name not in headers:
            raise Refusal(400, f"Invalid Arg: Missing '{name}' header")
    found = [re.match(r"\s*[+-]?[0-9]+", headers[name]) for name in (WIDTH, HEIGHT)]
    sizes = [int(size[0]) for size in found if size and abs(int(size[0])) < 2**31]
    if len(sizes) < 2:
        raise Refusal(400, "Invalid Arg: stoi")
    width, height = sizes
    (wanted,) = struct.unpack("<i", struct.pack("<I", width * height * 3 % 2**32))
    if wanted != length:
        raise Refusal(400, f"Invalid Arg: Image data size mismatch. Expected {wanted} bytes, got {length} bytes")
    if width < 1 or height < 1 or not length:
        raise Refusal(500, "Server Err: std::bad_alloc")
    return width, height


def parsed(body: bytes) -> Any:
    where = "[json.exception.parse_error.101] parse error at line"
    if not body:
        raise Refusal(
            400,
            f"Invalid JSON: {where} 1, column 1: attempting to parse an empty input; check that your input string or"
            " stream contains the expected JSON",
        )
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise AnyAnswer(500, b"") from None
    except json.JSONDecodeError as error:
        expected = "syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal"
        raise Refusal(400, f"Invalid JSON: {where} {error.lineno}, column {error.colno}: {expected}") from None
    except RecursionError:
        raise Refusal(400, "Invalid JSON: nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise json.JSONDecodeError("invalid literal", name, 0)


def _wrong(wanted: str, value: Any) -> Refusal:
    kind = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    got = kind.get(type(value), "null")
    return Refusal(500, f"Server Err: [json.exception.type_error.302] type must be {wanted}, but is {got}")


def string_of(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("string", value)
    return value


def _number(value: Any, kind: type[int] | type[float]) -> int | float:
    """Booleans count as numbers, and fractions are cut off."""
    if not isinstance(value, int | float):
        raise _wrong("number", value)
    return kind(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("boolean", value)
    return value


def _sensible(values: Body) -> Body:
    """With what the honest server would refuse brought into range."""
    ranged = dict(values)
    if "seed" in values:
        ranged["seed"] = values["seed"] % 2**32
    if "steps" in values:
        ranged["steps"] = min(max(1, values["steps"]), MOST_STEPS)
    for name in ("width", "height"):
        if name in values:
            ranged[name] = min(max(8, values[name] // 8 * 8), MOST_PIXELS)
    if "denoise_strength" in values:
        ranged["denoise_strength"] = min(1.0, max(0.0, values["denoise_strength"]))
    if "show_diffusion_stride" in values:
        ranged["show_diffusion_stride"] = max(1, values["show_diffusion_stride"])
    if values.get("scheduler", "dpm") not in SCHEDULERS:
        ranged["scheduler"] = "dpm"
    return ranged
