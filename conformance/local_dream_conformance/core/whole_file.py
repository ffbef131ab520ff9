"""Files that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Writes text in UTF-8, beside its place first. Raises OSError, and then leaves what was there before.

    What is no file, such as /dev/stdout, is written as it is.
    """
    data = text.encode("utf-8", "backslashreplace")
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    real = path.resolve()  # a link stays one
    handle, name = tempfile.mkstemp(prefix=f".{real.name[:40]}-", dir=real.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(real.stat().st_mode & 0o777 if real.exists() else 0o666 & ~_umask())
        Path(name).replace(real)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    kept = os.umask(0o022)
    os.umask(kept)
    return kept
