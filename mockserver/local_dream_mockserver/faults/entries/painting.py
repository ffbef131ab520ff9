"""Faults and quirks of what pictures show: fields of requests without effect, with another, or with one too many."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np
from PIL import Image, ImageOps

from local_dream_mockserver.faults.effects import pictures, requests
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.pictures import PICTURE
from local_dream_mockserver.faults.effects.requests import Body
from local_dream_mockserver.faults.hooks import FaultHooks, Work
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Mask, Picture, Rgb
from local_dream_mockserver.server.generation import Generates
from local_dream_mockserver.server.image_input import decode_base64, read_image

# Seed and prompt


def cached(cache: dict[object, GenerationRequest], key: object, request: GenerationRequest) -> GenerationRequest:
    """The request with prompt and seed of the first one that had the same key."""
    first = cache.setdefault(key, request)
    if (first.prompt, first.seed) == (request.prompt, request.seed):
        return request
    return replace(request, prompt=first.prompt, seed=first.seed)


several(pictures.asked)(
    "seed-of-the-clock (GEN-PIC-07): The seed of a request is not used, but another one for each picture.",
    where(lambda numbers, request: replace(request, seed=next(numbers) + 1), state=count),
    "seed-without-effect (GEN-PIC-09): The seed has no effect.",
    lambda request: replace(request, seed=1),
    "prompt-ignored (GEN-PIC-10): The prompt has no effect.",
    lambda request: replace(request, prompt="a house"),
    "cache-without-seed (GEN-PIC-09): A request gets the picture of the first one with the same prompt and size,"
    " whatever the seed.",
    where(lambda cache, asked: cached(cache, (asked.prompt, asked.width, asked.height), asked), state=dict),
    "cache-without-prompt (GEN-PIC-10): A request gets the picture of the first one with the same seed and size,"
    " whatever the prompt.",
    where(lambda cache, asked: cached(cache, (asked.seed, asked.width, asked.height), asked), state=dict),
)


# Image, mask and strength


def array_of(given: Rgb | Mask | None) -> Rgb:
    """The image or the mask of a request that has one."""
    assert given is not None
    return given


def in_cells(image: Image.Image) -> Image.Image:
    """The picture in cells of 8 pixels."""
    return ImageOps.scale(ImageOps.scale(image, 1 / 8, Image.Resampling.BOX), 8, Image.Resampling.NEAREST)


several(pictures.asked, given="mask")(
    "mask-ignored (GEN-PIC-12): The mask has no effect.",
    lambda request: replace(request, mask=None),
    "mask-inverted (GEN-PIC-12, GEN-PIC-13): Black parts of the mask are repainted, white ones kept.",
    lambda request: replace(request, mask=255 - array_of(request.mask)),
    "inpainting-does-nothing (GEN-PIC-13): With a mask the image comes back as it was.",
    lambda request: replace(request, denoise_strength=0.0),
    "mask-in-cells (quirk): The mask is applied in cells of 8 pixels.",
    lambda request: replace(request, mask=np.asarray(in_cells(Image.fromarray(array_of(request.mask))))),
)
several(pictures.asked, given="image")(
    "strength-inverted (GEN-PIC-11): A denoise_strength of 1 keeps the image, and 0 ignores it.",
    lambda request: replace(request, denoise_strength=1 - request.denoise_strength),
    "low-strength-repaints (GEN-PIC-11, GEN-PIC-15): A denoise_strength below one half is taken for 1.",
    lambda request: replace(request, denoise_strength=1.0) if request.denoise_strength < 0.5 else request,
    "strength-ignored (GEN-PIC-15): The denoise_strength has no effect.",
    lambda request: replace(request, denoise_strength=0.6),
    "image-ignored (GEN-PIC-12, GEN-PIC-15): The image has no effect.",
    lambda request: replace(request, image=None, mask=None),
    "image-read-as-bgr (GEN-PIC-12): Red and blue of the image are swapped.",
    lambda request: replace(request, image=array_of(request.image)[:, :, ::-1].copy()),
    "image-upside-down (GEN-PIC-12): The image is read upside down.",
    lambda request: replace(request, image=array_of(request.image)[::-1].copy()),
)


def fitted(request: GenerationRequest, values: Body, fit: Callable[..., Image.Image]) -> GenerationRequest:
    """The request with the image that was sent, brought to (width, height) in another way."""
    text = values.get("image")
    if not isinstance(text, str):
        return request
    with Image.open(io.BytesIO(decode_base64("image", text))) as file:
        own = Image.fromarray(read_image("image", text, file.size, file.width * file.height))
    return replace(request, image=np.asarray(fit(own, (request.width, request.height))))


several(requests.accepted, layer=PICTURE)(
    "images-stretched (quirk): An image of another shape than the picture's is stretched to it.",
    lambda request, values: fitted(request, values, Image.Image.resize),
    "images-letterboxed (quirk): An image of another shape than the picture's gets black bars.",
    lambda request, values: fitted(request, values, ImageOps.pad),
)


@pictures.works(quirk=True, layer=PICTURE)
def all_steps_with_image(
    hooks: FaultHooks, engine: Generates, request: GenerationRequest, cancelled: Cancelled
) -> Work:
    """With an image all steps are taken, and not only the share of its strength."""
    for one in engine.generate(request, cancelled):
        if isinstance(one, Picture) or request.image is None:
            yield one
            continue
        done, after = ((one.step - less) * request.steps // one.total_steps for less in (1, 0))
        for step in range(done, after):
            hooks.happened()
            yield replace(one, step=step + 1, total_steps=request.steps)  # type: ignore[type-var]  # a dataclass


# The pixels of complete


def noisy(rgb: Rgb, strength: int, number: int) -> Rgb:
    """The picture with noise of up to `strength` of 255, another for each number, the same in every run."""
    noise = np.random.default_rng(number).integers(-strength, strength + 1, rgb.shape)
    seen: Rgb = np.clip(rgb.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    return seen


several(pictures.picture)(
    "picture-bgr (GEN-PIC-12): Red and blue of pictures are swapped.",
    lambda rgb: rgb[:, :, ::-1],
    "picture-upside-down (GEN-PIC-12): Pictures are upside down.",
    lambda rgb: rgb[::-1],
    "picture-rows-swapped (GEN-PIC-02): Width and height are swapped in the order of a picture's values.",
    lambda rgb: rgb.transpose(1, 0, 2).reshape(rgb.shape),
    "picture-mirrored (GEN-PIC-12): Pictures are mirrored.",
    lambda rgb: rgb[:, ::-1],
    "pictures-white (GEN-PIC-14): All pictures are white.",
    lambda rgb: np.full_like(rgb, 255),
    "pictures-black (GEN-PIC-14): All pictures are black.",
    lambda rgb: np.zeros_like(rgb),
)
several(pictures.picture, state=count)(
    "not-bit-exact (quirk, GEN-PIC-08): The same request gives nearly the same picture, as on GPUs.",
    lambda numbers, rgb: noisy(rgb, 1, next(numbers)),
    "noise-in-pictures (GEN-PIC-07): Every picture has noise of its own.",
    lambda numbers, rgb: noisy(rgb, 30, next(numbers)),
    "last-bits-differ (GEN-PIC-08): The last bits of a picture are not the same twice.",
    lambda numbers, rgb: noisy(rgb, 1, next(numbers)),
    "pictures-shift (GEN-PIC-07): Every picture is shifted by 16 pixels more than the one before.",
    lambda numbers, rgb: np.roll(rgb, 16 * next(numbers), axis=1),
)


@pictures.picture(quirk=True)
def decoder_changes_all(rgb: Rgb) -> Rgb:
    """Every pixel is a little different, also where the mask keeps it.

    As a model's own decoder does it: the same for the same picture.
    """
    image = Image.fromarray(rgb)
    return np.asarray(Image.blend(image, ImageOps.scale(ImageOps.scale(image, 0.5), 2), 0.7))
