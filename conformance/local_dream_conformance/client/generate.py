"""`local-dream generate`: a picture of a prompt, from any server of the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from local_dream_conformance.client import output
from local_dream_conformance.client.call import Failure, call, ended
from local_dream_conformance.client.progress import Progress
from local_dream_conformance.client.request_fields import PROMPT, any_field, default_of, field_options, fields_of
from local_dream_conformance.client.server_options import server_options, settings_of
from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence import images
from local_dream_conformance.evidence.generation import GenerationStream, generation
from local_dream_conformance.evidence.images import BadPicture

DIR = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
SHOWN, STRIDE = "show_diffusion_process", "show_diffusion_stride"


@click.command()
@click.argument("url")
@click.argument("prompt")
@click.option("-o", "--output", "target", type=FILE, required=True, metavar="FILE", help="Where the picture goes.")
@click.option("--previews", type=DIR, metavar="DIR", help="Ask for previews, and keep them in this folder.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@field_options
@click.option(
    "--field",
    "others",
    metavar="NAME=JSON",
    multiple=True,
    callback=any_field,
    help="Any field with any value, as it is; repeat for more.",
)
@server_options()
def generate(
    url: str, prompt: str, target: Path, previews: Path | None, force: bool, others: dict[str, Any], **given: Any
) -> None:
    """Have the server at URL paint PROMPT.

    With --image it starts from a picture, with --mask it repaints the white part of it. What no option says is left to
    the server. Exit status: 0 there is a picture, 1 the server refused or failed, 2 wrong command line, 6 unreachable,
    130 cancelled with Ctrl-C, which hangs up.
    """
    settings = settings_of(url, given)
    fields = {PROMPT: prompt, **fields_of(given)}
    if previews is not None:
        fields.setdefault(SHOWN, True)
    fields |= others
    output.expect_free(target, force)
    if previews is not None:
        output.expect_empty(previews, force)
    size = integer(fields.get("width", default_of("width"))), integer(fields.get("height", default_of("height")))
    progress = Progress((size[0] or 0, size[1] or 0), previews)
    body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    request = Request("POST", "/generate", (("Content-Type", "application/json"),), body)
    try:
        exchange = call(settings, request, _longest(fields), progress.hear)
    finally:
        progress.close()
    told = _written(target, exchange)
    for note in progress.notes:
        click.echo(f"note: {settings.redact(note)}", err=True)
    if previews is not None:
        told += f"; {counted(len(progress.saved), 'preview')} in {previews}"
    click.echo(told)


def _longest(fields: dict[str, Any]) -> int:
    """Bytes that the longest answer takes: a raw picture for every step, in base64."""
    sizes = [integer(fields.get(name, default_of(name))) or 1 for name in ("width", "height", "steps")]
    side = integer(fields.get("size")) or 1
    return 2 * 4 * max(sizes[0] * sizes[1], side * side) * (sizes[2] + 2)


def _written(target: Path, exchange: Exchange) -> str:
    """Writes the picture, and says so. Raises Failure."""
    stream = generation(exchange)
    complete = stream.complete
    if complete is None:
        raise Failure(_no_picture(stream))
    try:
        picture = images.of_payload(complete.payload)
        output.write(target, picture, images.decode_base64(complete.image or ""))
    except BadPicture as error:
        raise Failure(f"the server's picture is none: {error}") from None
    except OSError as error:
        raise Failure(f"{target}: {error.strerror or error}") from None
    width, height = picture.size
    seed = complete.payload.get("seed")
    return f"{target}: {width}x{height}, seed {escape(json.dumps(seed), 40)}, {complete.at:.1f} s"


def _no_picture(stream: GenerationStream) -> str:
    exchange = stream.exchange
    if stream.error is not None:
        said = stream.error.payload.get("message")
        return f"the server failed: {escape(said if isinstance(said, str) else stream.error.sse.data, 2000)}"
    if not stream.is_stream:
        return f"the answer is no event stream, but {escape(exchange.media_type or 'of no media type', 60)}"
    steps = len(stream.progress)
    return f"the stream ended after {steps} progress events without a picture{ended(exchange)}"
