"""Faults of POST /upscale."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.faults.effects import upscale
from local_dream_mockserver.faults.upscale import rgb_of, saved
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest


@upscale.enlarged("UPS-ANS-02")
def upscale_png_as_jpeg(answer: UpscaleAnswer) -> UpscaleAnswer:
    """The file is a PNG."""
    return replace(answer, jpeg=saved(rgb_of(answer.jpeg), "PNG"))


@upscale.enlarged("UPS-ANS-02")
def upscale_empty(answer: UpscaleAnswer) -> UpscaleAnswer:
    """The body is empty."""
    return replace(answer, jpeg=b"")


@upscale.enlarged("UPS-ANS-04")
def output_size_of_input(answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
    """X-Output-Width and X-Output-Height are the size of what was sent."""
    return replace(answer, width=request.width, height=request.height)
