"""``python -m local_dream_reference.upscaling.evaluation.looks``: closeness and looks on spoilt pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from local_dream_reference.upscaling.catalogue import DEFAULT, Catalogue
from local_dream_reference.upscaling.errors import UpscalingError
from local_dream_reference.upscaling.evaluation.degraded import WAYS, spoilt
from local_dream_reference.upscaling.evaluation.illustrations import illustrations
from local_dream_reference.upscaling.evaluation.measures import psnr, ssim
from local_dream_reference.upscaling.evaluation.perceptual import dists, dists_layers, lpips
from local_dream_reference.upscaling.evaluation.photographs import photographs
from local_dream_reference.upscaling.evaluation.published_weights import (
    Convolutions,
    NotInstalled,
    convolutions,
    dists_weights,
)
from local_dream_reference.upscaling.evaluation.quality import Method, resampling
from local_dream_reference.upscaling.upscaler import Upscaler

Picture = NDArray[np.uint8]

_SEEN = 256
"""Side of the middle of a picture that LPIPS and DISTS look at: large enough for them, and VGG16 is slow."""
_SHOWN = 192
"""Side of what the sheet shows of a picture."""


@dataclass(frozen=True)
class Judges:
    """The networks behind LPIPS and DISTS."""

    alexnet: Convolutions
    vgg: Convolutions
    dists: tuple[torch.Tensor, torch.Tensor]

    def of(self, expected: Picture) -> Callable[[Picture], list[float]]:
        """What says PSNR (dB), SSIM, LPIPS and DISTS of an enlargement."""
        original = _middle(expected)
        layers = dists_layers(self.vgg, original)

        def judge(got: Picture) -> list[float]:
            seen = _middle(got)
            apart = dists(self.dists, layers, dists_layers(self.vgg, seen))
            return [psnr(expected, got), ssim(expected, got), lpips(self.alexnet, original, seen), apart]

        return judge


def _crop(picture: Picture, side: int) -> Picture:
    top, left = (max(length - side, 0) // 2 for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def _middle(picture: Picture) -> torch.Tensor:
    return torch.tensor(_crop(picture, _SEEN)).permute(2, 0, 1)[None].float() / 255


def table(title: str, pictures: dict[str, Picture], methods: Mapping[str, Method], judges: Judges) -> None:
    """A row for each way of spoiling and each method, the mean over all pictures."""
    small = {way: spoilt(way, pictures) for way in WAYS}
    found: dict[tuple[str, str], list[list[float]]] = {(way, name): [] for way in WAYS for name in methods}
    for each, picture in pictures.items():
        judge = judges.of(picture)
        for way, name in found:
            found[way, name].append(judge(methods[name](small[way][each])))
    click.echo(f"| {title} | enlarged by | PSNR | SSIM | LPIPS | DISTS |\n|---|---|---|---|---|---|")
    for (way, name), values in found.items():
        close, alike, look, apart = np.mean(values, axis=0)
        click.echo(f"| {way} | {name} | {close:.2f} | {alike:.4f} | {look:.3f} | {apart:.3f} |")
    click.echo()


def sheet(pictures: dict[str, Picture], methods: Mapping[str, Method], ways: Mapping[str, str]) -> Image.Image:
    """A row for the middle of each picture in ``ways`` (to its way), a column for each method, the original last."""
    rows = []
    for name, way in ways.items():
        original = _crop(pictures[name], _SHOWN)
        small = spoilt(way, {name: original})[name]
        rows.append(np.hstack([*(method(small) for method in methods.values()), original]))
    return Image.fromarray(np.vstack(rows))


_SHEET = {
    "astronaut": "blur 1.5, area, noise 5, JPEG 60",
    "coffee": "then noise 8",
    "chelsea": "then JPEG 50",
    "motorcycle_left": "blurred by 2.5 before",
    "scene 1": "blur 1.5, area, noise 5, JPEG 60",
    "flower": "shrunk by bicubic",
}


@click.command()
@click.option("--model", "models", multiple=True, default=[DEFAULT], show_default=True, help="Repeatable.")
@click.option("--upscalers", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--sheet", "sheet_path", type=click.Path(path_type=Path, dir_okay=False), help="Only draw this picture.")
def main(models: tuple[str, ...], upscalers: Path | None, sheet_path: Path | None) -> None:
    """Spoil held-out pictures in five ways, enlarge them, and compare with what they were.

    PSNR (dB) and SSIM are those of the luma of whole pictures, more is better; LPIPS (AlexNet, 0.1) and DISTS those of
    their middle 256 x 256, less is better. Needs scikit-image and scikit-learn for the pictures.
    """
    try:
        upscaler = Upscaler(Catalogue(upscalers))
        methods: dict[str, Method] = {"bicubic": resampling(Image.Resampling.BICUBIC)}
        for model in models:
            methods[upscaler.resolve(model)] = lambda small, model=model: upscaler.upscale(small, model)  # type: ignore[misc]
        sets = {"photographs": photographs(), "drawings": illustrations()}
        if sheet_path is not None:
            nearest = {"nearest": resampling(Image.Resampling.NEAREST)}
            sheet({**sets["photographs"], **sets["drawings"]}, {**nearest, **methods}, _SHEET).save(
                sheet_path, quality=95, subsampling=0
            )
            return
        judges = Judges(convolutions("alexnet"), convolutions("vgg16"), dists_weights())
        for title, pictures in sets.items():
            table(title, pictures, methods, judges)
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error.name} is not installed: pip install scikit-image scikit-learn") from error
    except (NotInstalled, UpscalingError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
