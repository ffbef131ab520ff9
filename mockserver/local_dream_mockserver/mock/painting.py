"""Pictures of the synthetic engine: every parameter of a request has its effect on them.

The prompt chooses colours and land, the negative prompt turns them away, the seed moves
everything, cfg is contrast and colour, the scheduler is the brush (all but `dpm` leave grain), the steps settle what is
left of the noise and lead elsewhere, the strength is how much of the input picture is painted over, white in the mask
is painted over, reference pictures shine through. Any other field leaves grain of its own where it is not its default.
"""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
from PIL import Image, ImageFilter

from local_dream_mockserver.mock.landscape import Plane, landscape, mood_of, noise, random_of
from local_dream_mockserver.server.engine import (
    GenerationRequest,
    Mask,
    Rgb,
)

PAINTED = (
    *("prompt", "negative_prompt", "seed", "steps", "cfg", "width", "height"),
    *("scheduler", "denoise_strength", "image", "mask", "reference_images"),
)
"""What has an effect of its own on the picture."""
UNSEEN = ("previews", "preview_stride", "use_opencl", "output_format", "preview_format")
"""What has none: it changes what is sent, or how fast."""
GRAIN = np.float32(0.12)
"""Strength of the grain that all schedulers but `dpm` leave, and every field without an effect of its own where it is
not left out, as a share of the brightness: it makes another picture."""
TURN = np.float32(0.1)
"""How far another number of steps leads to another picture, as a share of the brightness."""
FOLLOWED = np.float32(0.3)
"""How much of each reference picture shines through."""
SEAM = 2
"""Width in pixels of the blend inside the masked area's edge. What is not masked is never touched."""


def latent_noise(request: GenerationRequest) -> Plane:
    """The noise from which the picture comes, shape (height, width, 3), about -0.5..0.5."""
    chance = random_of("noise", str(request.seed), request.scheduler)
    shape = (-(-request.height // 4), -(-request.width // 4), 3)
    coarse = chance.standard_normal(shape, dtype=np.float32) * np.float32(0.25)
    whole = coarse.repeat(4, axis=0).repeat(4, axis=1)
    return whole[: request.height, : request.width]


def paint(request: GenerationRequest) -> Rgb:
    """The finished picture, shape (height, width, 3)."""
    width, height = request.width, request.height
    scene = landscape(mood_of(request.prompt, request.negative_prompt), request.seed, width, height)
    guidance = np.float32(0.4 + 1.2 * math.tanh(request.cfg / 15.0))
    grey = scene.mean(axis=2, keepdims=True)
    scene = grey + (scene - grey) * guidance
    scene = np.float32(0.5) + (scene - np.float32(0.5)) * (np.float32(0.5) + np.float32(0.5) * guidance)
    scene += latent_noise(request) * np.float32(0.35 / (1 + request.steps))
    way = random_of("steps", str(request.steps))
    scene += (noise(way, width, height, 3, 2) * TURN)[..., np.newaxis]
    if request.scheduler != "dpm":
        chance = random_of("grain", str(request.seed), request.scheduler)
        scene += (noise(chance, width, height, 48, 2) * GRAIN)[..., np.newaxis]
    if others := other_fields(request):
        scene += (noise(random_of("fields", repr(others)), width, height, 48, 2) * GRAIN)[..., np.newaxis]
    drawn = np.clip(scene, 0, 1) * np.float32(255)
    for reference in request.reference_images:
        seen = np.asarray(Image.fromarray(reference).resize((width, height)), dtype=np.float32)
        drawn += (seen - drawn) * FOLLOWED
    if request.image is not None:
        before = request.image.astype(np.float32)
        cover = np.full((height, width, 1), request.denoise_strength, dtype=np.float32)
        if request.mask is not None:
            cover *= feathered(request.mask)[..., np.newaxis]
        drawn = before + (drawn - before) * cover
    return bytes_of(drawn)


def other_fields(request: GenerationRequest) -> dict[str, object]:
    """The fields that this engine has no effect of its own for, as far as they are not what they are by default.

    A field that is added to the contract shows in the picture without a line here.
    """
    others = [field for field in fields(request) if field.name not in (*PAINTED, *UNSEEN)]
    values = {field.name: getattr(request, field.name) for field in others}
    return {field.name: values[field.name] for field in others if values[field.name] != field.default}


def bytes_of(picture: Plane) -> Rgb:
    """Rounds a picture of 0..255 to uint8."""
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def feathered(mask: Mask) -> Plane:
    """The mask as 0..1, softened towards the inside of its edge only: black stays exactly 0."""
    whole = mask.astype(np.float32) / np.float32(255)
    soft = Image.fromarray(mask).filter(ImageFilter.BoxBlur(SEAM))
    inside: Plane = np.minimum(whole, np.asarray(soft, dtype=np.float32) / np.float32(255))
    return inside


def unfinished(request: GenerationRequest, result: Rgb, chaos: Plane, done: float) -> Rgb:
    """The picture when a share `done` (0..1) of the steps is done: still noisy, and the result itself at 1."""
    left = np.float32((1.0 - done) ** 1.2)
    start = np.float32(127.5) if request.image is None else request.image.astype(np.float32)
    noisy = start + chaos * np.float32(255)
    change = left if request.mask is None else (left * feathered(request.mask))[..., np.newaxis]
    return bytes_of(result.astype(np.float32) + (noisy - result.astype(np.float32)) * change)
