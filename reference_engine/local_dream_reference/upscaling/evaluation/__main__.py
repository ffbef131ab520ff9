"""``python -m local_dream_reference.upscaling.evaluation``: the quality table of the 4x upscaler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from local_dream_reference.upscaling.catalogue import DEFAULT, Catalogue
from local_dream_reference.upscaling.errors import UpscalingError
from local_dream_reference.upscaling.evaluation.illustrations import illustrations
from local_dream_reference.upscaling.evaluation.photographs import photographs
from local_dream_reference.upscaling.evaluation.quality import Picture, Quality, Row, gains, mean, measured, methods
from local_dream_reference.upscaling.upscaler import Upscaler

_HEAD = """\
| {title} | PSNR nearest | bicubic | Lanczos | network | gain | SSIM nearest | bicubic | Lanczos | network \
| shift bicubic | network |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


def _line(name: str, row: Mapping[str, Quality]) -> str:
    ways = ("nearest", "bicubic", "lanczos", "network")
    cells = [f"{row[way].psnr:.2f}" for way in ways]
    cells.append(f"{row['network'].psnr - row['bicubic'].psnr:+.2f}")
    cells += [f"{row[way].ssim:.4f}" for way in ways]
    cells += [f"{row[way].colour_shift:.2f}" for way in ("bicubic", "network")]
    return f"| {name} | {' | '.join(cells)} |"


def _table(title: str, pictures: Mapping[str, Picture], upscaler: Upscaler, model: str) -> None:
    ways = methods(lambda small: upscaler.upscale(small, model))
    rows: dict[str, Row] = {}
    click.echo(_HEAD.format(title=title))
    for name, picture in pictures.items():
        rows[name] = measured(picture, ways)
        click.echo(_line(name, rows[name]))
    click.echo(_line("**mean**", mean(rows)))
    worst = min(gains(rows).items(), key=lambda item: item[1])
    shift = max(row["network"].colour_shift for row in rows.values())
    click.echo(f"\nSmallest gain {worst[1]:+.2f} dB ({worst[0]}), largest colour shift {shift:.2f}/255.\n")


@click.command()
@click.option("--model", default=DEFAULT, show_default=True, help="Name of the model to measure.")
@click.option(
    "--upscalers", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of further models."
)
def main(model: str, upscalers: Path | None) -> None:
    """Shrink held-out pictures by 4 (antialiased bicubic), enlarge them again, and compare.

    PSNR (dB) and SSIM are those of the luma; the shift is the largest change of a channel's
    mean against the small picture, in steps of 255: where ink and paper are pure black and
    white even bicubic shifts it, as what overshoots is clipped. Needs
    scikit-image and scikit-learn for their sample pictures.
    """
    try:
        upscaler = Upscaler(Catalogue(upscalers))
        _table("photograph", photographs(), upscaler, model)
        _table("drawing", illustrations(), upscaler, model)
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error.name} is not installed: pip install scikit-image scikit-learn") from error
    except UpscalingError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
