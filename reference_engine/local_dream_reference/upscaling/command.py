"""``local-dream upscalers``: the models that a server would offer."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.option(
    "--upscalers",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of further models (.safetensors, .pth), as given to the server.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of a table.")
def upscalers(folder: Path | None, as_json: bool) -> None:
    """List the 4x upscalers that a server offers, the default first.

    A client chooses one by its name or its file in X-Upscaler-Path; `default` means the first.
    """
    try:
        from local_dream_reference.upscaling.catalogue import Catalogue
        from local_dream_reference.upscaling.errors import UnusableWeights
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is not installed: pip install 'local-dream-conformance[reference]'"
        ) from error
    try:
        catalogue = Catalogue(folder)
    except UnusableWeights as error:
        raise click.ClickException(str(error)) from error
    models = catalogue.models()
    if as_json:
        click.echo(json.dumps([asdict(model) for model in models], indent=2))
    else:
        rows = [("NAME", "FILE", "SCALE", "ARCHITECTURE")]
        rows += [(model.name, model.file, f"x{model.scale}", model.architecture) for model in models]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            click.echo("  ".join(cells).rstrip())
    for reason in catalogue.refused().values():
        click.echo(f"not offered: {reason}", err=True)
