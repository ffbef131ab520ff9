"""Files that a command writes: nothing is overwritten that was not meant to be."""

from __future__ import annotations

from pathlib import Path

import click
from PIL import Image

from local_dream_conformance.evidence.images import Picture

KEPT = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}
"""Suffixes of the files that a server's own bytes can be kept in, with their format."""


def expect_free(path: Path, force: bool) -> None:
    """Raises click.UsageError where a file cannot be written, or must not be, before anything is asked of a server."""
    Image.init()
    if path.suffix.lower() not in Image.EXTENSION:
        raise click.UsageError(f"{path}: what kind of file? Give a name that ends in .png or .jpg")
    if path.is_dir() or not path.parent.is_dir():
        raise click.UsageError(f"{path}: {'it is a folder' if path.is_dir() else 'its folder is not there'}")
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already; --force overwrites it")


def expect_empty(folder: Path, force: bool) -> None:
    """The same of a folder for files, which is made where it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{folder}: {error.strerror}") from None
    if any(folder.iterdir()) and not force:
        raise click.UsageError(f"{folder} is not empty; --force writes into it")


def write(path: Path, picture: Picture, data: bytes) -> None:
    """Writes a picture; `data` are the server's own bytes, which are kept where the file is to be of their format.
    Raises OSError."""
    if KEPT.get(path.suffix.lower()) == picture.format:
        path.write_bytes(data)
    else:
        save(path, picture)


def save(path: Path, picture: Picture) -> None:
    """Writes the pixels in the format of the file's name. Raises OSError."""
    Image.fromarray(picture.pixels).save(path)
