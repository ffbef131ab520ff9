"""The line that shows, while a server starts, that it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

EVERY = 0.25
"""Seconds between two looks of the line."""


@contextmanager
def startup_line(text: str, stream: TextIO) -> Iterator[None]:
    """Shows `text` and the seconds since, in a thread of its own, and takes the line away at the end.

    Only on a terminal: a log should not have it.
    """
    if not stream.isatty():
        yield
        return
    over = threading.Event()
    began = time.monotonic()

    def show() -> None:
        while not over.wait(EVERY):
            stream.write(f"\r\x1b[K{text} ({time.monotonic() - began:.0f} s)")
            stream.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        stream.write("\r\x1b[K")
        stream.flush()
