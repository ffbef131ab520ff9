"""A server on paper: answers requests with exchanges, honestly or with one thing wrong, and no network between."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import documented
from tests.conformance.transcripts import Pixels, coded, generation, picture

DEFAULTS: Mapping[str, Any] = {
    **{name: field.default for name, field in documented().items() if field.default is not None},
    "steps": 4,
    "width": 128,
    "height": 64,
}
"""As the contract has them, but for steps and size, which are small here so that tests are quick."""
PLAIN: Mapping[str, Any] = {"prompt": "a red house", "seed": 7, "steps": 4, "width": 128, "height": 64}
PICKED = 1000
"""The first seed that a server picks: the one that it reports of the request that has none."""
BARE: Mapping[str, Any] = {"prompt": "a red house", "seed": PICKED}
NOT_DRAWN = (
    *("seed", "width", "height", "denoise_strength", "image", "mask"),
    *("show_diffusion_process", "show_diffusion_stride"),
)
"""Fields that do not choose what is drawn: they say how large, how much of it and whether on the way."""


@dataclass
class InMemoryServer:
    """`defaults` replaces some defaults. `ignores` names fields that are read as if they were left out. `inverts` names
    "denoise_strength" or "mask". `misreads` is how an image is read wrongly, one of MISREAD. `whim` is noise, 0..255,
    that differs from answer to answer. `options` go to the builder of the stream.
    """

    defaults: Mapping[str, Any] = field(default_factory=dict)
    ignores: tuple[str, ...] = ()
    inverts: tuple[str, ...] = ()
    misreads: str = ""
    whim: int = 0
    seeds: list[int] = field(default_factory=lambda: list(range(PICKED, PICKED + 1000)))
    options: Mapping[str, Any] = field(default_factory=dict)
    _answers: int = 0

    def answer(self, label: str, fields: Mapping[str, Any]) -> Exchange:
        """The exchange of a POST /generate with these fields."""
        chosen = self.seeds.pop(0) if fields.get("seed") is None else fields["seed"]
        heard = {name: value for name, value in fields.items() if name not in self.ignores and value is not None}
        meant = {**DEFAULTS, **self.defaults, **heard, "seed": 7 if "seed" in self.ignores else chosen}
        self._answers += 1
        pixels = self._paint(meant)
        if self.whim:
            shaken = pixels.astype(np.int16) + np.random.default_rng(self._answers).integers(
                -self.whim, self.whim + 1, pixels.shape
            )
            pixels = np.clip(shaken, 0, 255).astype(np.uint8)
        return generation(label, pixels, fields={**meant, "seed": chosen}, sent=fields, **self.options)

    def _paint(self, meant: Mapping[str, Any]) -> Pixels:
        width, height = meant["width"], meant["height"]
        names = [name for name in documented() if name not in NOT_DRAWN]
        number = sum((i + 1) * byte for i, byte in enumerate(repr([meant.get(n) for n in names]).encode()))
        drawn = picture(width, height, number * 10_000 + meant["seed"]).astype(np.float64)
        if not meant.get("image"):
            return drawn.astype(np.uint8)
        strength = meant["denoise_strength"]
        cover = np.full((height, width, 1), 1 - strength if "denoise_strength" in self.inverts else strength)
        if meant.get("mask"):
            white = _opened(meant["mask"], width, height)[..., :1] >= 128
            cover = cover * (~white if "mask" in self.inverts else white)
        before = MISREAD[self.misreads](_opened(meant["image"], width, height))
        blended: Pixels = np.rint(before * (1 - cover) + drawn * cover).astype(np.uint8)
        return blended


def _cropped(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    middle = pixels[height // 8 : -(height // 8), width // 8 : -(width // 8)]
    return np.asarray(Image.fromarray(middle).resize((width, height)), dtype=np.uint8)


def _turned(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).rotate(90, expand=True).resize(pixels.shape[1::-1]), dtype=np.uint8)


MISREAD: Mapping[str, Callable[[Pixels], Pixels]] = {
    "": lambda pixels: pixels,
    "BGR": lambda pixels: pixels[:, :, ::-1],
    "upside down": lambda pixels: pixels[::-1],
    "mirrored": lambda pixels: pixels[:, ::-1],
    "turned by 180 degrees": lambda pixels: pixels[::-1, ::-1],
    "a bitmap as Windows has it": lambda pixels: pixels[::-1, :, ::-1],
    "all bytes came in reverse": lambda pixels: pixels[::-1, ::-1, ::-1],
    "turned by 90 degrees": _turned,
    "cropped": _cropped,
}


def _opened(text: str, width: int, height: int) -> Pixels:
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image.convert("RGB").resize((width, height)), dtype=np.uint8)


def image64() -> str:
    """An image to start from: the base64 of a PNG."""
    return coded(picture(128, 64, 99), "png")


def mask64() -> str:
    """Right half white: the base64 of a PNG."""
    white = np.zeros((64, 128, 3), np.uint8)
    white[:, 64:] = 255
    return coded(white, "png")


def asked(*, img2img: bool = True) -> dict[str, dict[str, Any]]:
    """The requests of a run's generations by label, as the scenarios send them."""
    image = {"image": image64()} if img2img else {}
    seedless = {name: value for name, value in PLAIN.items() if name != "seed"}
    found: dict[str, dict[str, Any]] = {
        "base": {**PLAIN, "show_diffusion_process": True},
        "repeat": {**PLAIN, "show_diffusion_process": True},
        "defaults/absent": {"prompt": BARE["prompt"], **image},
        "defaults/explicit": {**DEFAULTS, **BARE, **image},
        "hang-up/next": {**seedless, "scheduler": "euler_a"},
        "overlap/first": {
            **PLAIN,
            "prompt": "a green bicycle",
            "show_diffusion_process": True,
            "show_diffusion_stride": 2,
        },
        "overlap/second": {
            **PLAIN,
            "seed": PLAIN["seed"] ^ 1 << 31,
            "show_diffusion_process": False,
            "show_diffusion_stride": 0,
            "x-unknown": {"nested": [1, None]},
        },
        "nulls": {**PLAIN, "scheduler": None, "cfg": None, "image": None},
        "negative": {**PLAIN, "negative_prompt": "a green meadow"},
        "edges/seed-max": {**PLAIN, "seed": 2**32 - 1},
        "edges/seed-next": {**PLAIN, "seed": PLAIN["seed"] ^ 1},
    }
    if img2img:
        found["strength/low"] = {**DEFAULTS, **BARE, **image, "steps": 10, "denoise_strength": 0}
        found["edges/seed-max"] |= {**image, "denoise_strength": 0.35}
        found["hang-up/next"] |= {**image, "mask": mask64(), "denoise_strength": 0.9}
    return found


def run(
    server: InMemoryServer | None = None, *, without: tuple[str, ...] = (), img2img: bool = True
) -> dict[str, Exchange]:
    """The generations of a run against a server, by label."""
    server = server or InMemoryServer()
    return {
        label: server.answer(label, fields)
        for label, fields in asked(img2img=img2img).items()
        if not label.startswith(without or ("?",))
    }
