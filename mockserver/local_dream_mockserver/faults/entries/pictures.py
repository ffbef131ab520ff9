"""Faults of pictures: how they are coded, and what they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from local_dream_mockserver.faults.effects import pictures
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.pictures import coded, file_of
from local_dream_mockserver.server.engine import GenerationRequest, Rgb

# How complete is coded


@pictures.coded("GEN-PIC-02")
def png_without_format(message: Message, rgb: Rgb) -> Message:
    """The complete event has a PNG, and no format."""
    return message.with_(image=file_of(rgb, "png"))


@pictures.coded("GEN-PIC-02")
def raw_rgba(message: Message, rgb: Rgb) -> Message:
    """The raw pixels of complete have four channels."""
    return message.with_(image=coded(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])))


@pictures.coded("GEN-PIC-02")
def raw_short_of_a_row(message: Message, rgb: Rgb) -> Message:
    """The last row of the raw pixels of complete is missing."""
    return message.with_(image=coded(rgb[:-1]))


# What complete shows


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


# What the engine paints


@pictures.asked("GEN-PIC-09")
def seed_without_effect(request: GenerationRequest) -> GenerationRequest:
    """The seed has no effect."""
    return replace(request, seed=1)


@pictures.asked("GEN-PIC-10")
def prompt_ignored(request: GenerationRequest) -> GenerationRequest:
    """The prompt has no effect."""
    return replace(request, prompt="a house")
