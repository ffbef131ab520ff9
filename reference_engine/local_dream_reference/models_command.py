"""``local-dream models``: the models on this machine that a server can be started with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from local_dream_reference.errors import UnusableModel


@dataclass(frozen=True)
class Row:
    """A model as it is listed. ``reason`` says why it cannot be served, "" where it can."""

    name: str
    kind: str
    bytes: int
    source: str
    path: str
    reason: str


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="[DIR]...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of a table.")
def models(folders: tuple[Path, ...], as_json: bool) -> None:
    """List the models that are found: the shipped one, those in the folders, and those in the Hub's cache.

    Folders are given here, or in the environment variable LOCAL_DREAM_MODELS (separated as in PATH); of those in the
    latter `local-dream serve --model` also takes the names, and what they begin with.
    """
    try:
        rows = _rows(folders)
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is not installed: pip install 'local-dream-conformance[reference]'"
        ) from error
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    table = [("NAME", "KIND", "SIZE", "SOURCE")]
    table += [(row.name, row.kind, _size(row.bytes), row.source) for row in rows if not row.reason]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    for cells in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    for row in rows:
        if row.reason:
            click.echo(f"not served: {row.reason}", err=True)


def _rows(folders: tuple[Path, ...]) -> list[Row]:
    from local_dream_reference.found import find, named_places
    from local_dream_reference.source import find_source, kind_at

    rows = []
    for model in find([*folders, *named_places()]):
        kind, reason = "", ""
        try:
            find_source(str(model.path))
            kind = kind_at(model.path)
        except UnusableModel as error:
            reason = str(error).replace(repr(str(model.path)), repr(model.name))
        rows.append(Row(model.name, kind, model.size(), model.source, str(model.path), reason))
    return rows


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
