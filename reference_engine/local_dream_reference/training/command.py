"""The training command."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import torch

from local_dream_reference.shipped import SHIPPED
from local_dream_reference.training.attribute_classifier import train_judge
from local_dream_reference.training.begin import begin
from local_dream_reference.training.export import export
from local_dream_reference.training.recipe import RECIPES, Recipe
from local_dream_reference.training.run import Run
from local_dream_reference.training.text import train_text, train_words
from local_dream_reference.training.unet import train_unet
from local_dream_reference.training.vae import GateNotPassed, train_decoder, train_vae


def stages(recipe: Recipe) -> dict[str, Callable[[Run], bool]]:
    """Return the stages in the order of their dependence: the judge checks the rest, the denoiser needs latents and
    texts.
    """
    table: dict[str, Callable[[Run], bool]] = {"judge": train_judge, "text": train_text, "vae": train_vae}
    for before, resolution in zip((None, *recipe.unet), recipe.unet, strict=False):
        if resolution.calm:
            table["words"] = train_words
        table[resolution.name] = partial(train_unet, stage=resolution, before=before)
    return table | {"decoder": train_decoder}


@click.command(context_settings={"show_default": True})
@click.argument("stage")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=SHIPPED,
    help="Folder that export writes.",
    show_default="the shipped model",
)
@click.option(
    "--work", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of checkpoints and logs."
)
@click.option(
    "--recipe",
    type=click.Choice(["auto", *RECIPES]),
    default="auto",
    help="How much of everything: by the device, or named. All but toy (for tests) share their checkpoints.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Save and stop after so much wall time.")
@click.option("--save-minutes", type=click.FloatRange(min=0), default=4.0, help="Wall time between checkpoints.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads of torch [default: torch's choice].")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Processes that draw beside the training.")
@click.option("--seed", type=click.IntRange(min=0), default=1)
def main(
    stage: str,
    to: Path,
    work: Path,
    recipe: str,
    device: str,
    minutes: float | None,
    save_minutes: float,
    threads: int | None,
    workers: int,
    seed: int,
) -> None:
    """Train STAGE (or "all" of them in order), resuming from the checkpoints in --work; or "export" what there is; or
    "begin" an empty --work with the shipped model, to go on from it.

    Stages: judge, text, vae, unet128, unet256, unet512, mixed, words, calm, decoder.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise click.BadParameter("no CUDA device here: use auto or cpu", param_hint="--device")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = RECIPES[{"cpu": "cpu", "cuda": "gpu"}[device] if recipe == "auto" else recipe]
    table = stages(chosen)
    if stage not in (*table, "all", "begin", "export"):
        raise click.BadParameter(f"{stage!r} is none of {', '.join(table)}, all, begin, export", param_hint="STAGE")
    if threads:
        torch.set_num_threads(threads)
    run = Run(
        recipe=chosen,
        work=work,
        device=torch.device(device),
        seed=seed,
        workers=workers,
        deadline=None if minutes is None else time.monotonic() + minutes * 60,
        save_seconds=save_minutes * 60,
    )
    if stage in ("begin", "export"):
        try:
            click.echo(f"{stage}: written to {begin(run, SHIPPED) if stage == 'begin' else export(run, to)}")
        except (FileExistsError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error
        return
    for name in table if stage == "all" else [stage]:
        try:
            finished = table[name](run)
        except KeyboardInterrupt:
            raise click.ClickException(f"{name}: stopped and saved; the same command goes on from here") from None
        except (FileNotFoundError, GateNotPassed) as error:
            raise click.ClickException(str(error)) from error
        if not finished:
            click.echo(f"{name}: time is over, saved; the same command goes on from here")
            return
        click.echo(f"{name}: finished")
