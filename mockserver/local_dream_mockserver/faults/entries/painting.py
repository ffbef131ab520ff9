"""Faults and quirks of what pictures show: fields of requests without effect, with another, or with one too many."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from local_dream_mockserver.faults.effects import pictures, requests, work
from local_dream_mockserver.faults.effects.pictures import PICTURE
from local_dream_mockserver.faults.effects.work import Work
from local_dream_mockserver.server.engine import GenerationRequest, Mask, Picture, Rgb, Step
from local_dream_mockserver.server.image_input import decode_base64

# Seed and prompt


@pictures.asked("GEN-PIC-09")
def seed_without_effect(request: GenerationRequest) -> GenerationRequest:
    """The seed has no effect."""
    return replace(request, seed=1)


@pictures.asked("GEN-PIC-07", state=count)
def seed_of_the_clock(numbers: Iterator[int], request: GenerationRequest) -> GenerationRequest:
    """The seed of a request is not used, but another one for each picture."""
    return replace(request, seed=next(numbers) + 1)


@pictures.asked("GEN-PIC-10")
def prompt_ignored(request: GenerationRequest) -> GenerationRequest:
    """The prompt has no effect."""
    return replace(request, prompt="a house")


Cache = dict[object, GenerationRequest]


def cached(cache: Cache, key: object, request: GenerationRequest) -> GenerationRequest:
    """The request with prompt and seed of the first one that had the same key."""
    first = cache.setdefault(key, request)
    if (first.prompt, first.seed) == (request.prompt, request.seed):
        return request
    return replace(request, prompt=first.prompt, seed=first.seed)


@pictures.asked("GEN-PIC-09", state=dict)
def cache_without_seed(cache: Cache, request: GenerationRequest) -> GenerationRequest:
    """A request gets the picture of the first one with the same prompt and size, whatever the seed."""
    return cached(cache, (request.prompt, request.width, request.height), request)


@pictures.asked("GEN-PIC-10", state=dict)
def cache_without_prompt(cache: Cache, request: GenerationRequest) -> GenerationRequest:
    """A request gets the picture of the first one with the same seed and size, whatever the prompt."""
    return cached(cache, (request.seed, request.width, request.height), request)


# Image, mask and strength


@pictures.asked("GEN-PIC-11", given="image")
def strength_inverted(request: GenerationRequest) -> GenerationRequest:
    """A denoise_strength of 1 keeps the image, and 0 ignores it."""
    return replace(request, denoise_strength=1 - request.denoise_strength)


@pictures.asked("GEN-PIC-11", given="image")
def strength_ignored(request: GenerationRequest) -> GenerationRequest:
    """The denoise_strength has no effect."""
    return replace(request, denoise_strength=0.6)


@pictures.asked("GEN-PIC-11", "GEN-PIC-12", given="image")
def image_ignored(request: GenerationRequest) -> GenerationRequest:
    """The image has no effect."""
    return replace(request, image=None, mask=None)


@pictures.asked("GEN-PIC-12", given="mask")
def mask_ignored(request: GenerationRequest) -> GenerationRequest:
    """The mask has no effect."""
    return replace(request, mask=None)


@pictures.asked("GEN-PIC-12", "GEN-PIC-13", given="mask")
def mask_inverted(request: GenerationRequest) -> GenerationRequest:
    """Black parts of the mask are repainted, white ones kept."""
    return replace(request, mask=255 - array_of(request.mask))


@pictures.asked("GEN-PIC-13", given="mask")
def inpainting_does_nothing(request: GenerationRequest) -> GenerationRequest:
    """With a mask the image comes back as it was."""
    return replace(request, denoise_strength=0.0)


@pictures.asked("GEN-PIC-12", given="image")
def image_read_as_bgr(request: GenerationRequest) -> GenerationRequest:
    """Red and blue of the image are swapped."""
    return replace(request, image=array_of(request.image)[:, :, ::-1].copy())


@pictures.asked("GEN-PIC-12", given="image")
def image_upside_down(request: GenerationRequest) -> GenerationRequest:
    """The image is read upside down."""
    return replace(request, image=array_of(request.image)[::-1].copy())


@pictures.asked(given="mask", quirk=True)
def mask_in_cells(request: GenerationRequest) -> GenerationRequest:
    """The mask is applied in cells of 8 pixels."""
    mask = Image.fromarray(array_of(request.mask))
    small = mask.resize((max(1, mask.width // 8), max(1, mask.height // 8)), Image.Resampling.BOX)
    return replace(request, mask=np.asarray(small.resize(mask.size, Image.Resampling.NEAREST)))


def array_of(given: Rgb | Mask | None) -> Rgb:
    """The image or the mask of a request that has one."""
    assert given is not None
    return given


Fit = Callable[[Image.Image, tuple[int, int]], Image.Image]


def fitted(request: GenerationRequest, values: dict[str, Any], fit: Fit) -> GenerationRequest:
    """The request with the image that was sent, brought to (width, height) in another way."""
    text = values.get("image")
    if not isinstance(text, str):
        return request
    with Image.open(io.BytesIO(decode_base64("image", text))) as file:
        return replace(request, image=np.asarray(fit(file.convert("RGB"), (request.width, request.height))))


@requests.accepted(quirk=True, layer=PICTURE)
def images_stretched(request: GenerationRequest, values: dict[str, Any]) -> GenerationRequest:
    """An image of another shape than the picture's is stretched to it."""
    return fitted(request, values, lambda image, size: image.resize(size))


@requests.accepted(quirk=True, layer=PICTURE)
def images_letterboxed(request: GenerationRequest, values: dict[str, Any]) -> GenerationRequest:
    """An image of another shape than the picture's gets black bars."""
    return fitted(request, values, lambda image, size: ImageOps.pad(image, size))


@work.steps(quirk=True)
def all_steps_with_image(made: Work, request: GenerationRequest) -> Work:
    """With an image all steps are taken, and not only the share of its strength."""
    for one in made:
        if isinstance(one, Picture) or request.image is None:
            yield one
            continue
        done, after = ((one.step - less) * request.steps // one.total_steps for less in (1, 0))
        for step in range(done, after):
            yield again(one, step + 1, request.steps)


def again(made: Step, step: int, total: int) -> Step:
    """The step, counted otherwise. Steps of engines are dataclasses."""
    return replace(made, step=step, total_steps=total)  # type: ignore[type-var]


# The pixels of complete


@pictures.picture("GEN-PIC-12")
def picture_bgr(rgb: Rgb) -> Rgb:
    """Red and blue of pictures are swapped."""
    return rgb[:, :, ::-1]


@pictures.picture("GEN-PIC-12")
def picture_upside_down(rgb: Rgb) -> Rgb:
    """Pictures are upside down."""
    return rgb[::-1]


@pictures.picture("GEN-PIC-12")
def picture_mirrored(rgb: Rgb) -> Rgb:
    """Pictures are mirrored."""
    return rgb[:, ::-1]


@pictures.picture("GEN-PIC-14")
def pictures_white(rgb: Rgb) -> Rgb:
    """All pictures are white."""
    return np.full_like(rgb, 255)


@pictures.picture("GEN-PIC-14")
def pictures_black(rgb: Rgb) -> Rgb:
    """All pictures are black."""
    return np.zeros_like(rgb)


def noisy(rgb: Rgb, strength: int, number: int) -> Rgb:
    """The picture with noise of up to `strength` of 255, another for each number, the same in every run."""
    noise = np.random.default_rng(number).integers(-strength, strength + 1, rgb.shape)
    seen: Rgb = np.clip(rgb.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    return seen


@pictures.picture("GEN-PIC-07", state=count)
def noise_in_pictures(numbers: Iterator[int], rgb: Rgb) -> Rgb:
    """Every picture has noise of its own."""
    return noisy(rgb, 30, next(numbers))


@pictures.picture("GEN-PIC-08", state=count)
def last_bits_differ(numbers: Iterator[int], rgb: Rgb) -> Rgb:
    """The last bits of a picture are not the same twice."""
    return noisy(rgb, 1, next(numbers))


@pictures.picture("GEN-PIC-08", quirk=True, state=count)
def not_bit_exact(numbers: Iterator[int], rgb: Rgb) -> Rgb:
    """The same request gives nearly the same picture, as on GPUs."""
    return noisy(rgb, 1, next(numbers))


@pictures.picture("GEN-PIC-07", state=count)
def pictures_shift(numbers: Iterator[int], rgb: Rgb) -> Rgb:
    """Every picture is shifted by 16 pixels more than the one before."""
    return np.roll(rgb, 16 * next(numbers), axis=1)


@pictures.picture(quirk=True)
def decoder_changes_all(rgb: Rgb) -> Rgb:
    """Every pixel is a little different, also where the mask keeps it.

    As a model's own decoder does it: the same for the same picture.
    """
    image = Image.fromarray(rgb)
    small = image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.BICUBIC)
    return np.asarray(Image.blend(image, small.resize(image.size, Image.Resampling.BICUBIC), 0.7))
