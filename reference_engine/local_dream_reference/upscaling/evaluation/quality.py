"""Pictures shrunk by 4, enlarged again in several ways, and compared with what they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local_dream_reference.upscaling.evaluation.measures import colour_shift, psnr, ssim
from local_dream_reference.upscaling.training.degradations import shrunk_bicubic

Picture = NDArray[np.uint8]
Method = Callable[[Picture], Picture]
"""(h, w, 3) to (4h, 4w, 3), uint8."""

OURS = "network"


@dataclass(frozen=True)
class Quality:
    """How close one method came on one picture."""

    psnr: float
    ssim: float
    colour_shift: float
    """Largest change of a channel's mean, in 0..255."""


Row = dict[str, Quality]
"""Method to quality, for one picture."""


def resampling(filter: Image.Resampling) -> Method:
    """Enlargement by 4 with one of Pillow's filters."""

    def enlarge(small: Picture) -> Picture:
        height, width = small.shape[:2]
        return np.asarray(Image.fromarray(small).resize((width * 4, height * 4), filter))

    return enlarge


def methods(network: Method) -> dict[str, Method]:
    """The three usual filters and the network, by name."""
    return {
        "nearest": resampling(Image.Resampling.NEAREST),
        "bicubic": resampling(Image.Resampling.BICUBIC),
        "lanczos": resampling(Image.Resampling.LANCZOS),
        OURS: network,
    }


def measured(picture: Picture, ways: Mapping[str, Method]) -> Row:
    """The quality of every method on one picture whose sides are multiples of 4."""
    small = shrunk_bicubic(picture)
    row: Row = {}
    for name, enlarge in ways.items():
        large = enlarge(small)
        row[name] = Quality(psnr(picture, large), ssim(picture, large), colour_shift(small, large))
    return row


def mean(rows: Mapping[str, Row]) -> Row:
    """The average over pictures, method by method."""
    first = next(iter(rows.values()))
    return {
        name: Quality(
            float(np.mean([row[name].psnr for row in rows.values()])),
            float(np.mean([row[name].ssim for row in rows.values()])),
            float(np.mean([row[name].colour_shift for row in rows.values()])),
        )
        for name in first
    }


def gains(rows: Mapping[str, Row]) -> dict[str, float]:
    """Picture to the network's luma PSNR less that of bicubic, in dB."""
    return {name: row[OURS].psnr - row["bicubic"].psnr for name, row in rows.items()}
