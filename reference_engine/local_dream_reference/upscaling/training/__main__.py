"""``python -m local_dream_reference.upscaling.training --work DIR``: train the 4x upscaler."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import click
import torch

from local_dream_reference.upscaling.errors import UnusableWeights
from local_dream_reference.upscaling.evaluation.photographs import Picture, photographs
from local_dream_reference.upscaling.evaluation.published_weights import NotInstalled, convolutions
from local_dream_reference.upscaling.training.loop import Length, Training
from local_dream_reference.upscaling.training.picture_cache import PictureCache, draw_missing
from local_dream_reference.upscaling.training.recipe import Recipe

_DEFAULTS = {field.name: field.default for field in fields(Recipe)}


def _held_out() -> dict[str, Picture]:
    try:
        return photographs()
    except ModuleNotFoundError as error:
        click.echo(f"{error.name} is not installed: gains on photographs are not measured", err=True)
        return {}


@click.command()
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of this run.")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Drawn pictures [WORK/pictures].")
@click.option(
    "--start",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Weights of an earlier run to begin at.",
)
@click.option("--minutes", default=80.0, show_default=True, help="Wall time of the whole run, all legs together.")
@click.option("--steps", type=click.IntRange(1), help="End after so many steps instead: repeatable bit for bit.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@click.option("--seed", default=_DEFAULTS["seed"], show_default=True)
@click.option("--features", default=_DEFAULTS["features"], show_default=True)
@click.option("--convolutions", default=_DEFAULTS["convolutions"], show_default=True)
@click.option("--pictures", default=_DEFAULTS["pictures"], show_default=True)
@click.option("--softness", type=click.FloatRange(0, 1), default=_DEFAULTS["softness"], show_default=True)
@click.option("--patch", type=click.IntRange(8, 128), default=_DEFAULTS["patch"], show_default=True)
@click.option("--batch", type=click.IntRange(1), default=_DEFAULTS["batch"], show_default=True)
@click.option("--as-sent-share", type=click.FloatRange(0, 1), default=_DEFAULTS["as_sent_share"], show_default=True)
@click.option("--found-share", type=click.FloatRange(0, 1), default=_DEFAULTS["found_share"], show_default=True)
@click.option("--peak-rate", default=_DEFAULTS["peak_rate"], show_default=True)
@click.option("--mean-weight", default=_DEFAULTS["mean_weight"], show_default=True)
@click.option("--luma-weight", default=_DEFAULTS["luma_weight"], show_default=True)
@click.option("--look-weight", type=click.FloatRange(0), default=_DEFAULTS["look_weight"], show_default=True)
def main(
    work: Path, cache: Path | None, start: Path | None, minutes: float, steps: int | None, threads: int, **recipe: float
) -> None:
    """Draw the training pictures, train, and leave upscaler.safetensors in WORK.

    Started again with the same options it continues from its last checkpoint.
    """
    chosen = Recipe(**recipe)  # type: ignore[arg-type]
    try:
        vgg = convolutions("vgg16") if chosen.look_weight else None
    except NotInstalled as missing:
        raise click.ClickException(f"the look is judged by VGG16: {missing}") from missing
    torch.set_num_threads(threads)
    work.mkdir(parents=True, exist_ok=True)
    folder = cache if cache is not None else work / "pictures"
    shards = draw_missing(folder, chosen.seed, chosen.softness, chosen.pictures, workers=threads)
    training = Training(chosen, work, PictureCache(shards, chosen.pictures), _held_out(), vgg)
    try:
        if training.resume():
            click.echo(f"resuming at step {training.progress.step}")
        elif start is not None:
            training.start_from(start)
    except (ValueError, UnusableWeights) as error:
        raise click.ClickException(str(error)) from error
    training.run(Length(minutes, steps))


if __name__ == "__main__":
    main()
