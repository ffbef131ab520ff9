"""`local-dream report`: the reports of a run that kept its result as JSON."""

from __future__ import annotations

from pathlib import Path

import click

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import BadRecording
from local_dream_conformance.report.files import Reports
from local_dream_conformance.result import schema
from local_dream_conformance.result.schema import BadResult


@click.command()
@click.argument("result", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--html-report", "html", metavar="PATH", help="Write one HTML file, for people.")
@click.option("--markdown-report", "markdown", metavar="PATH", help="Write Markdown.")
@click.option("--badge", "badges", metavar="PATH", multiple=True, help="Write a badge: PATH.svg or PATH.json.")
@click.option(
    "--recording",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The recording of that run: the HTML report then has its pictures and timed events.",
)
def report(result: Path, html: str | None, markdown: str | None, badges: tuple[str, ...], folder: Path | None) -> None:
    """Write reports of RESULT, what an earlier run wrote with --json-report.

    Nothing is judged again; that is `local-dream check --replay DIR`.
    """
    reports = Reports(html, markdown, badges)
    if not reports.wanted:
        raise click.UsageError("nothing to write: give --html-report, --markdown-report or --badge")
    try:
        reports.check()
        kept = schema.load(result)
        transcripts = [] if folder is None else list(recording.transcripts(folder, recording.read(folder)))
    except (BadSetting, BadResult, BadRecording) as error:
        raise click.ClickException(str(error)) from None
    for line in reports.write(kept, transcripts):
        click.echo(line)
