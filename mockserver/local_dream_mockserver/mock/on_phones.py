"""What works here and goes wrong on a phone: breaches that concern releases of the original server, by name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from starlette.datastructures import Headers

from local_dream_mockserver.faults.emulated.http_library import LONGEST_FORM
from local_dream_mockserver.faults.emulated.version import CORE
from local_dream_mockserver.mock.violation import Violation
from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.spec import generate_request, schedulers

ALL = ("2.4.3", "2.7", "2.8.1")
SINCE_2_7 = ALL[1:]
FIRST = ALL[:1]
ORIENTATION = 0x0112
"""The EXIF tag that says how a picture is turned."""
UPRIGHT = 1
ANIMATION = b"acTL"
"""The chunk before the pixels of a PNG that says that others follow."""
DARK = 2
"""A mask whose brightest value is below has 0 and 1 where it means 0 and 255."""
IGNORING = {"ultrafix": FIRST, "tile_size": FIRST, "reference_images": ALL}
"""Fields of extensions with the releases that ignore them."""
MEANT = {
    **dict.fromkeys(("cfg_scale", "guidance", "guidance_scale"), "cfg"),
    **dict.fromkeys(("sampler", "sampler_name", "sampler_index", "sample_method"), "scheduler"),
    **dict.fromkeys(("init_image", "init_images", "input_image"), "image"),
    **dict.fromkeys(("strength", "denoise"), "denoise_strength"),
    **dict.fromkeys(("num_inference_steps", "sample_steps"), "steps"),
}
"""What other APIs call it."""
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
ALIKE = 0.7
"""How much of a name must be the same for it to be meant."""
FORM = "application/x-www-form-urlencoded"
SIDES = ("width", "height")
STRONGEST = 100
"""A cfg beyond it leaves no picture of any model."""
LARGEST = 1024
"""Pixels of the longer side of what the app's own models make."""


def of_picture(field: str, picture: Image.Image, data: bytes) -> list[Violation]:
    """Of a picture that can be decoded here, and its file. `field` is image or mask."""
    found = []
    if picture.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT:
        message = "turned by its EXIF data, which phones ignore: turn the pixels themselves"
        found.append(Violation(None, field, message, ALL))
    if _has_alpha(picture):
        what = (
            "what is under it is painted over or kept as its colour says"
            if field == "mask"
            else "what is under it shows"
        )
        found.append(Violation(None, field, f"partly transparent; phones drop that, and {what}: send it flat", ALL))
    if picture.format == "WEBP":
        found.append(Violation("GEN-REQ-17", field, "WEBP, which phones answer with 400: send PNG or JPEG", ALL))
    if picture.mode == "CMYK":
        found.append(Violation("GEN-REQ-27", field, "CMYK, which not every server can read: send it in RGB"))
    if getattr(picture, "is_animated", False) or ANIMATION in data[: data.find(b"IDAT")]:
        found.append(Violation(None, field, "animated; servers take its first picture alone: send that", ALL))
    if field == "mask":
        found += _of_mask(picture)
    return found


def of_shapes(image: tuple[int, int], mask: tuple[int, int]) -> list[Violation]:
    """Of the sizes of an image and its mask, width and height in pixels."""
    if abs(image[0] * mask[1] - mask[0] * image[1]) <= max(*image, *mask):  # a pixel more or less is no other shape
        return []
    sizes = f"{mask[0]}x{mask[1]}, of another shape than the image ({image[0]}x{image[1]})"
    message = (
        f"{sizes}: each is cropped by itself, and they do not lie on each other: send it in the shape of the image"
    )
    return [Violation("GEN-REQ-28", "mask", message, ALL)]


def _of_mask(picture: Image.Image) -> list[Violation]:
    if picture.format == "JPEG":
        message = "JPEG, which smears its edges into grey, and grey is painted in part: send PNG"
        return [Violation(None, "mask", message, ALL)]
    if picture.mode in ("L", "LA", "P", "RGB", "RGBA") and 0 < np.asarray(picture.convert("RGB")).max() < DARK:
        return [Violation(None, "mask", "nearly black: its brightest value is 1, and white is 255", ALL)]
    return []


def _has_alpha(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    lowest, _ = picture.convert("RGBA").getchannel("A").getextrema()
    return bool(lowest < 255)  # type: ignore[operator]  # one channel has one pair


def of_fields(document: Mapping[str, Any]) -> list[Violation]:
    """Of values that the contract takes."""
    found = []
    for name in generate_request(NAMES)["properties"]:
        if name in document and document[name] is None and _reading(name) and not _told_beside(name, document):
            found.append(Violation(None, name, "null, which phones answer with an error: leave it out", _reading(name)))
    for name in SIDES:
        side = document.get(name)
        if isinstance(side, int) and side > LARGEST and not document.get("ultrafix"):
            found.append(Violation(None, name, f"{side}: more than a phone has memory for?", ALL))
    size = document.get("size")
    if isinstance(size, int) and any(document.get(name, size) not in (size, None) for name in SIDES):
        message = f"{size}, with another width or height: phones take size, other servers those; send them alike"
        found.append(Violation("EXT-SIZ-02", "size", message, ALL))
    cfg = document.get("cfg")
    if isinstance(cfg, int | float) and not isinstance(cfg, bool) and not 0 <= cfg <= STRONGEST:
        what = "paints away from the prompt" if cfg < 0 else "is beyond what models make pictures of"
        found.append(Violation(None, "cfg", f"{cfg:.6g} {what}: send 1 to 30", ALL))
    for name, releases in IGNORING.items():
        if document.get(name):
            found.append(Violation(None, name, "ignored without a word: the picture is another one", releases))
    scheduler = document.get("scheduler")
    if isinstance(scheduler, str) and scheduler in schedulers() and scheduler not in CORE:
        found.append(Violation(None, "scheduler", f"{scheduler}: taken for dpm without a word", FIRST))
    return found


def _told_beside(name: str, document: Mapping[str, Any]) -> bool:
    """Whether null is a breach of the contract, too: of the prompt, and of the image that a mask belongs to."""
    return name == "prompt" or (name == "image" and document.get("mask") is not None)


def _reading(name: str) -> tuple[str, ...]:
    """The releases that read a field in all their modes."""
    if name in ("aspect_ratio", "tile_size", "reference_images"):
        return ()
    return SINCE_2_7 if name.endswith("_format") or name == "ultrafix" else ALL


def of_head(headers: Headers, length: int) -> list[Violation]:
    """Of the head of a request with a body of `length` bytes."""
    if headers.get("content-type", "").startswith(FORM) and length > LONGEST_FORM:
        message = f"{FORM} with {length} bytes: beyond {LONGEST_FORM} phones answer 413; send application/json"
        return [Violation(None, "Content-Type", message, ALL)]
    return []


def unknown_field(name: str) -> Violation:
    """Of a field that the contract does not have."""
    shown = name[:60]
    meant = nearest(name)
    hint = f"; {meant} is meant?" if meant else ""
    return Violation("GEN-REQ-08", shown, f"no field of the contract: servers ignore it; leave it out{hint}", ALL)


def nearest(name: str) -> str:
    """The field that a name is likely to mean, "" where none is near."""
    plain = CAMEL.sub("_", name[:60]).lower().replace("-", "_")
    near = difflib.get_close_matches(plain, generate_request(NAMES)["properties"], 1, ALIKE)
    return MEANT.get(plain) or (near[0] if near else "")
