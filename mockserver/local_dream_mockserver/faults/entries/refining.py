"""Faults of the extensions ultrafix and reference_images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from local_dream_mockserver.faults.effects import pictures, requests
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import in_stream, with_status, with_values, without
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.errors import Code

FIELD = "reference_images"


def in_its_left_half(rgb: Rgb, request: GenerationRequest) -> Rgb:
    """The picture with its right half as it was sent."""
    if not request.ultrafix or request.image is None:
        return rgb
    return np.concatenate([rgb[:, : request.width // 2], request.image[:, request.width // 2 :]], axis=1)


def halves_swapped(rgb: Rgb, request: GenerationRequest) -> Rgb:
    """The picture with its halves in each other's place."""
    return np.roll(rgb, request.width // 2, axis=1) if request.ultrafix else rgb


def first_tile(values: dict[str, Any]) -> dict[str, Any]:
    """The request for a picture of one tile."""
    if values.get("ultrafix") is not True or "image" not in values:
        return values
    return {**values, "width": tile_of(values), "height": tile_of(values)}


def tile_of(values: dict[str, Any]) -> int:
    """The side of a tile."""
    tile = values.get("tile_size")
    return tile if isinstance(tile, int) else 512


def is_larger(values: dict[str, Any]) -> bool:
    """Whether a picture that is to be refined is wider than a tile."""
    return values.get("ultrafix") is True and values.get("width", 512) > tile_of(values)


several(pictures.picture)(
    "ultrafix-in-one-half (EXT-UFX-04): With ultrafix the right half of the picture stays as it was.",
    in_its_left_half,
    "ultrafix-swaps-tiles (EXT-UFX-03): With ultrafix the halves of the picture stand in each other's place.",
    halves_swapped,
    "ultrafix-changes-nothing (EXT-UFX-04): With ultrafix the image comes back as it was.",
    lambda rgb, request: request.image if request.ultrafix and request.image is not None else rgb,
)
several(requests.refusal, field="ultrafix", codes=(Code.MISSING,))(
    "ultrafix-without-image-500 (EXT-UFX-05): Without an image, ultrafix is answered with status 500.",
    lambda problem: with_status(problem, 500),
    "ultrafix-without-image-in-the-stream (EXT-UFX-05): Without an image, ultrafix is answered with an error event.",
    lambda problem: in_stream({"type": "error", "message": problem.message}),
)
several(requests.refusal, field="ultrafix", codes=(Code.OUT_OF_RANGE,))(
    "ultrafix-with-mask-500 (EXT-UFX-06): With a mask, ultrafix is answered with status 500.",
    lambda problem: with_status(problem, 500),
)
several(requests.taken, field="tile_size")(
    "any-tile-size (EXT-UFX-07): A tile_size that will not do means 8.",
    lambda body: with_values(body, tile_size=8),
)

several(requests.refused)(
    "ultrafix-refused (EXT-UFX-02): Every request with ultrafix is refused.",
    lambda values: "ultrafix: not here" if values.get("ultrafix") is True and "image" in values else "",
    "ultrafix-refuses-large-pictures (EXT-UFX-02): With ultrafix a picture larger than a tile is refused.",
    lambda values: "width: too large" if is_larger(values) else "",
    "reference-images-refused (EXT-REF-01): Every request with reference_images is refused.",
    lambda values: f"{FIELD}: not here" if FIELD in values else "",
)
several(requests.values)(
    "ultrafix-makes-one-tile (EXT-UFX-02): With ultrafix a picture of one tile is made, whatever was asked for.",
    first_tile,
    "ultrafix-ignored (EXT-UFX-01): The field ultrafix has no effect.",
    lambda values: without_fields(values, "ultrafix", "tile_size"),
    "ultrafix-ignores-masks (EXT-UFX-06): With ultrafix a mask has no effect.",
    lambda values: without_fields(values, "mask") if values.get("ultrafix") is True else values,
    "reference-images-unknown (EXT-REF-01): The field reference_images has no effect, whatever its value.",
    lambda values: without_fields(values, FIELD),
    "reference-images-ignored (EXT-REF-03): The field reference_images has no effect.",
    lambda values: without_fields(values, FIELD) if is_taken(values.get(FIELD)) else values,
    "reference-gives-the-size (EXT-REF-02): A picture with reference_images has the size of the first of them.",
    lambda values: {**values, "width": 96, "height": 160} if is_taken(values.get(FIELD)) else values,
    "references-made-square (EXT-REF-02): A picture with reference_images is square.",
    lambda values: {**values, "height": values.get("width", 512)} if is_taken(values.get(FIELD)) else values,
)
several(pictures.asked)(
    "ultrafix-paints-anew (EXT-UFX-03): With ultrafix the image has no effect.",
    lambda request: replace(request, image=None) if request.ultrafix else request,
    "reference-images-unseen (EXT-REF-03): What reference_images show has no effect.",
    lambda request: replace(request, reference_images=()),
)
several(requests.taken, field=FIELD)(
    "odd-references-ignored (EXT-REF-04): What is no array of pictures has no effect.",
    lambda body: without(body, FIELD),
)
several(requests.refusal, field=FIELD)(
    "odd-references-500 (EXT-REF-04): What is no array of pictures is answered with status 500.",
    lambda problem: with_status(problem, 500),
)


def without_fields(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """The request without some fields."""
    return {name: value for name, value in values.items() if name not in names}


def is_taken(value: object) -> bool:
    """Whether it is an array that begins like one of pictures."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(one, str) and len(one) > 8 for one in value)
