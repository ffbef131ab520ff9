"""Quirks of POST /upscale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.catalogue import Layer, quirk
from local_dream_mockserver.faults.server import refusal
from local_dream_mockserver.faults.upscale import Enlarged, rgb_of, saved
from local_dream_mockserver.faults.upscale_request import UNKNOWN, OtherRefusal
from local_dream_mockserver.server.engine import Rgb

UPSCALE = Layer.UPSCALE


def _file(name: str, sentence: str, change: Callable[[Rgb], bytes]) -> None:
    quirk(name, sentence, layer=UPSCALE)(
        partial(Enlarged, change=lambda answer, request: replace(answer, jpeg=change(rgb_of(answer.jpeg))))
    )


def _again(method: Image.Resampling) -> Callable[[Rgb], bytes]:
    """Enlarged once more from the size of the original, in another way."""

    def enlarged(rgb: Rgb) -> bytes:
        image = Image.fromarray(rgb)
        small = image.resize((image.width // 4, image.height // 4), Image.Resampling.BOX)
        return saved(np.asarray(small.resize(image.size, method)), "JPEG", quality=95)

    return enlarged


_file(
    "upscale-small-file",
    "The JPEG has a low quality, and its colours half the resolution.",
    lambda rgb: saved(rgb, "JPEG", quality=60, subsampling=2),
)
_file("upscale-progressive", "The JPEG is progressive.", lambda rgb: saved(rgb, "JPEG", quality=90, progressive=True))
_file(
    "upscale-with-comment",
    "The JPEG carries a comment and a resolution.",
    lambda rgb: saved(rgb, "JPEG", quality=90, comment=b"made by a mock", dpi=(300, 300)),
)
_file("upscale-smooth", "Pictures are enlarged smoothly.", _again(Image.Resampling.BICUBIC))
_file("upscale-in-blocks", "Pictures are enlarged in blocks of 4x4 pixels.", _again(Image.Resampling.NEAREST))
quirk("duration-zero", "X-Duration-Ms is 0.", layer=UPSCALE)(
    partial(Enlarged, change=lambda answer, request: replace(answer, seconds=0.0))
)
quirk(
    "unknown-upscaler-404",
    "An unknown X-Upscaler-Path is answered with status 404.",
    layer=UPSCALE,
)(partial(OtherRefusal, meant=UNKNOWN, answer=lambda reply: refusal(404, reply.json["error"]["message"])))
quirk(
    "upscaler-cannot-load",
    "An unknown X-Upscaler-Path is answered with status 500, as engines that only then try to load it.",
    layer=UPSCALE,
    discouraged=("UPS-REQ-10",),
)(partial(OtherRefusal, meant=UNKNOWN, answer=lambda reply: refusal(500, "the model cannot be loaded")))
