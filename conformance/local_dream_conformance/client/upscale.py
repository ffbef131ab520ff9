"""`local-dream upscale`: a picture four times the size, from any server of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image, ImageOps

from local_dream_conformance.client import output
from local_dream_conformance.client.call import Failure, call, ended
from local_dream_conformance.client.server_options import server_options, settings_of
from local_dream_conformance.core.contract import load
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.settings import OPTION_OF
from local_dream_conformance.evidence import images
from local_dream_conformance.evidence.images import BadPicture
from local_dream_conformance.evidence.pixels import Pixels

FILE = click.Path(dir_okay=False, path_type=Path)
BYTES_A_PIXEL = 16 * 3
"""Of the longest answer, for each pixel that is sent."""


def _flag() -> dict[str, Any]:
    """The header of the contract that is a switch."""
    parameters = load().document["paths"]["/upscale"]["post"]["parameters"]
    return next(one for one in parameters if one["name"] == "X-Use-OpenCL")


def _path(context: click.Context, parameter: click.Parameter, text: str) -> str:
    try:
        return str(OPTION_OF["upscaler_path"].parse(text))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("url")
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", "target", type=FILE, required=True, metavar="FILE", help="Where the picture goes.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option(
    "--upscaler-path",
    default="default",
    show_default=True,
    envvar=OPTION_OF["upscaler_path"].variable,
    metavar="PATH",
    callback=_path,
    help="Which model, as sent in X-Upscaler-Path; on a phone the path of its file there.",
)
@click.option("--use-opencl", is_flag=True, help=_flag()["description"])
@server_options()
def upscale(
    url: str, picture: Path, target: Path, force: bool, upscaler_path: str, use_opencl: bool, **given: Any
) -> None:
    """Have the server at URL enlarge the file PICTURE four times.

    Exit status: 0 there is a picture, 1 the server refused or failed, 2 wrong command line, 6 unreachable,
    130 cancelled with Ctrl-C, which hangs up.
    """
    settings = settings_of(url, given)
    output.expect_free(target, force)
    pixels = _opened(picture)
    height, width = pixels.shape[:2]
    headers = [
        ("Content-Type", "application/octet-stream"),
        ("X-Image-Width", str(width)),
        ("X-Image-Height", str(height)),
        ("X-Upscaler-Path", upscaler_path),
    ]
    if use_opencl:
        headers.append((_flag()["name"], "true"))
    request = Request("POST", "/upscale", tuple(headers), pixels.tobytes())
    exchange = call(settings, request, BYTES_A_PIXEL * width * height, lambda piece: None)
    click.echo(_written(target, exchange))


def _opened(path: Path) -> Pixels:
    """The file as RGB, upright, with what is transparent on white. Raises click.UsageError."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if not upright.has_transparency_data:
                return np.asarray(upright.convert("RGB"))
            ground = Image.new("RGBA", upright.size, "white")
            ground.alpha_composite(upright.convert("RGBA"))
            return np.asarray(ground.convert("RGB"))
    except Exception as error:  # the decoders raise whatever a broken file makes them raise
        raise click.UsageError(f"{path} cannot be read as a picture: {error}") from None


def _written(target: Path, exchange: Exchange) -> str:
    """Writes the picture, and says so. Raises Failure."""
    try:
        picture = images.decode(exchange.body, "jpeg")
        output.write(target, picture, exchange.body)
    except BadPicture as error:
        raise Failure(f"the server's picture is none{ended(exchange)}: {error}") from None
    except OSError as error:
        raise Failure(f"{target}: {error.strerror or error}") from None
    width, height = picture.size
    return f"{target}: {width}x{height}, {exchange.ended_at:.1f} s"
