"""`local-dream report`: the reports of a run that kept its result as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.options import RUN_OPTIONS
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import BadRecording
from local_dream_conformance.report.files import Reports
from local_dream_conformance.report.formats import FORMATS
from local_dream_conformance.result import schema
from local_dream_conformance.result.schema import BadResult


def _formats(command: Callable[..., None]) -> Callable[..., None]:
    """The options of all formats, with their help."""
    help = {option.name: option.help for option in RUN_OPTIONS}
    for kind in reversed(FORMATS):
        command = click.option(f"--{kind.option}", metavar="PATH", multiple=True, help=help[kind.option])(command)
    return command


@click.command()
@click.argument("result", type=click.Path(dir_okay=False, path_type=Path))
@_formats
@click.option(
    "--recording",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The recording of that run: the HTML report then has its pictures and timed events.",
)
def report(result: Path, folder: Path | None, **paths: tuple[str, ...]) -> None:
    """Write reports of RESULT, what an earlier run wrote with --json-report.

    Nothing is judged again; that is `local-dream check --replay DIR`.
    """
    reports = Reports({name.replace("_", "-"): given for name, given in paths.items()})
    if not reports.wanted:
        raise click.UsageError(f"nothing to write: give {', '.join(f'--{kind.option}' for kind in FORMATS)}")
    try:
        reports.check()
        kept = schema.load(result)
        transcripts = [] if folder is None else list(recording.transcripts(folder, recording.read(folder)))
    except (BadSetting, BadResult, BadRecording) as error:
        raise click.ClickException(str(error)) from None
    for line in reports.write(kept, transcripts):
        click.echo(line)
