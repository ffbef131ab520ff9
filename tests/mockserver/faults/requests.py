"""Requests in which every fault and quirk of the mock can be seen that needs no second client."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from local_dream_mockserver.server.spec import component
from tests.field_values import of_wrong_type, out_of_range
from tests.mockserver.faults.direct import Ask, generate, upscale

PLAIN: dict[str, Any] = {"prompt": "a red house by the sea", "seed": 7, "steps": 4, "width": 24, "height": 16}


def picture(width: int, height: int, format: str = "PNG") -> str:
    """Base64 of a picture that is unlike its mirror images."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.dstack([x * 9 % 256, y * 12 % 256, (x + y) * 5 % 256]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return base64.b64encode(buffer.getvalue()).decode()


def half_mask(width: int, height: int) -> str:
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, width // 2 :] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


IMAGE, MASK = picture(24, 16), half_mask(24, 16)
RGB = bytes(range(256)) * 3
PAGE = "https://page.example"
SIZE = {"X_Image_Width": "16", "X_Image_Height": "16", "X_Upscaler_Path": "default"}


LAST = generate(PLAIN)
"""Asked for when all others were."""


def generations() -> Iterator[Ask]:
    """That are painted."""
    previews = {**PLAIN, "show_diffusion_process": True}
    yield generate(PLAIN)
    yield generate(previews)
    yield generate({**previews, "show_diffusion_stride": 2, "prompt": "a green bicycle"})
    yield generate({**previews, "show_diffusion_stride": 3, "steps": 7})
    yield generate({**PLAIN, "show_diffusion_stride": 0, "seed": 2**32 - 1})
    yield generate({"prompt": PLAIN["prompt"], "width": 24, "height": 16})
    yield generate({"prompt": PLAIN["prompt"], "seed": 7})
    yield generate({"prompt": PLAIN["prompt"], "image": IMAGE, "width": 24, "height": 16, "seed": 7})
    yield generate({**PLAIN, "seed": 8, "scheduler": "euler_a", "use_opencl": False, "cfg": 0})
    yield generate({**PLAIN, "scheduler": "dpm", "image": IMAGE, "mask": MASK, "denoise_strength": 0.9})
    yield generate({**PLAIN, "image": picture(40, 40, "JPEG"), "denoise_strength": 0.2})
    yield generate({**PLAIN, "image": None, "mask": None, "cfg": None, "unknown": [1]})
    yield generate({**PLAIN, "image": IMAGE, "denoise_strength": 0, "steps": 120})


def refusals() -> Iterator[Ask]:
    """Requests to /generate that the honest server refuses."""
    text = json.dumps(PLAIN)
    yield generate({"steps": 4})
    yield generate({**PLAIN, "prompt": ""})
    yield generate(b"")
    yield generate(b'{"prompt": "\xff"}')
    yield generate(text[:20].encode())
    yield generate(f"{text} x".encode())
    yield generate((text[:-1] + ', "cfg": NaN}').encode())
    yield generate(b"[]")
    yield generate(f"[{text}]".encode())
    yield generate((text[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}").encode())
    yield generate({**PLAIN, "prompt": "word " * 210_000, "steps": 0})
    yield generate({**PLAIN, "image": "@@@@"})
    yield generate({**PLAIN, "image": f"{IMAGE[:40]}@{IMAGE[40:]}"})
    yield generate({**PLAIN, "image": "aGVsbG8gd29ybGQh"})
    yield generate({**PLAIN, "image": IMAGE, "mask": "@@@@"})
    yield generate({**PLAIN, "image": IMAGE, "mask": "aGVsbG8gd29ybGQh"})
    yield generate({**PLAIN, "image": IMAGE})  # which is not refused, though pictures before it were
    yield generate({**PLAIN, "mask": MASK})
    fields = component("GenerateRequest")["properties"]
    for name, schema in fields.items():
        yield generate({**PLAIN, name: of_wrong_type(schema)})
    for name in ("steps", "width"):
        yield generate({**PLAIN, name: 8.5})
    yield generate({**PLAIN, "cfg": 7.5, "negative_prompt": "x", "use_opencl": "yes"})
    for name, schema in fields.items():
        for value in out_of_range(schema).values():
            yield generate({**PLAIN, name: value})
    yield generate({**PLAIN, "seed": -2})
    yield generate({**PLAIN, "scheduler": "dp"})
    yield generate({**PLAIN, "show_diffusion_process": True, "show_diffusion_stride": 0})


def upscales() -> Iterator[Ask]:
    """Requests to /upscale."""
    yield upscale(RGB, **SIZE)
    for flag in ("true", "1", "false", "0"):
        yield upscale(RGB, **SIZE, X_Use_OpenCL=flag)
    yield upscale(RGB[:-1], **SIZE, X_Use_OpenCL="maybe")
    yield upscale(bytes(range(240)), **{**SIZE, "X_Image_Width": "5"})
    for name in SIZE:
        yield upscale(RGB, **{key: value for key, value in SIZE.items() if key != name})
    for edge in ("abc", "16abc", "1_6", "-16", str(2**32 + 16)):
        yield upscale(RGB, **{**SIZE, "X_Image_Width": edge})
    yield upscale(RGB[:-1], **SIZE)
    yield upscale(RGB + b"x", **SIZE)
    yield upscale(b"", **SIZE)
    yield upscale(b"", **{**SIZE, "X_Image_Width": "32"})
    yield upscale(b"", **{**SIZE, "X_Image_Width": "0"})
    yield upscale(b"", **{**SIZE, "X_Image_Width": "65536", "X_Image_Height": "65536"})
    yield upscale(RGB, **{**SIZE, "X_Upscaler_Path": "no-such-model"})
    yield upscale(RGB, **{**SIZE, "X_Upscaler_Path": "../../etc/passwd"})


def extensions() -> Iterator[Ask]:
    """What the extensions add: fields, /tokenize, preflights, and pages that ask."""
    previews = {**PLAIN, "show_diffusion_process": True}
    yield generate({**previews, "output_format": "png", "preview_format": "jpeg"}, origin=PAGE)
    yield generate({**previews, "output_format": "jpeg"})
    yield generate({**previews, "preview_format": "png"})
    yield generate({**previews, "output_format": "raw", "preview_format": "raw"})
    for name in ("output_format", "preview_format"):
        yield generate({**PLAIN, name: "bmp"})
    for size in (32, 33, "32", 0):
        yield generate({**PLAIN, "size": size})
    for ratio in ("2:3", "3:2", "wide", "0:1"):
        yield generate({**PLAIN, "width": 128, "height": 64, "aspect_ratio": ratio})
    for scheduler in ("lcm", "euler"):
        yield generate({**PLAIN, "scheduler": scheduler})
    refined = {**PLAIN, "ultrafix": True, "tile_size": 16, "image": IMAGE}
    yield generate(refined)
    yield generate({**refined, "image": None})
    yield generate({name: value for name, value in refined.items() if name != "image"})
    yield generate({**refined, "mask": MASK})
    yield generate({**refined, "tile_size": 100})
    for references in ([IMAGE, picture(10, 30, "JPEG")], [], [5], ["@@@@"]):
        yield generate({**PLAIN, "reference_images": references})
    for prompt in ("a red house", "", 5, "\N{HOUSE BUILDING} " * 12 + "red cat sea " * 40):
        yield Ask("POST", "/tokenize", json.dumps({"prompt": prompt}).encode())
    for body in (b"{", b"{}"):
        yield Ask("POST", "/tokenize", body)
    asked = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    for path in ("/generate", "/upscale"):
        yield Ask("OPTIONS", path, b"", asked)
    for method, path in (("GET", "/health"), ("GET", "/nowhere")):
        yield Ask(method, path, b"", {"origin": PAGE})
    yield generate(b"{}", origin=PAGE)
    yield upscale(RGB, **SIZE, Origin=PAGE)


def others() -> Iterator[Ask]:
    """Whatever else there is: /health, paths and methods that are not there, unusual HTTP."""
    for method, path in (("GET", "/health"), ("HEAD", "/health"), ("GET", "/nowhere"), ("GET", "/generate")):
        yield Ask(method, path)
    yield Ask("GET", "/health/nowhere")
    yield generate(PLAIN, transfer_encoding="chunked")
    yield generate(PLAIN, expect="100-continue")
    yield generate({**PLAIN, "prompt": "word " * 210_000, "steps": 1})
    yield Ask("GET", "/nowhere", client=5)
    yield Ask("GET", "/health", client=5)
