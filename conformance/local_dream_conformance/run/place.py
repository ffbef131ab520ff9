"""The one place where runs keep what is theirs: a folder for each, of which the last few stay."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.recordings.run_folder import RunFolder

KEPT = 4
"""Folders of earlier runs that stay: the curl lines of their reports read files in them."""


def check() -> None:
    """Makes sure that there is a place for temporary files. Raises BadSetting."""
    with _explained():
        tempfile.gettempdir()


def make() -> RunFolder:
    """A folder for a run, of which others cannot read anything, with its lock held. Raises BadSetting."""
    with _explained():
        above = Path(tempfile.gettempdir(), f"local-dream-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
        above.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and above.lstat().st_uid != os.getuid():
            return _made(Path(tempfile.gettempdir()))
        _tidy(above)
        return _made(above)


def _made(above: Path) -> RunFolder:
    while True:
        folder = RunFolder(Path(tempfile.mkdtemp(prefix="run-", dir=above)))
        folder.running.acquire()
        if Path(folder.running.lock_file).exists():  # else another run has removed it before it was locked
            return folder
        folder.running.release()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = error.strerror or str(error)
        raise BadSetting(f"no folder for temporary files can be written ({said}): say where with TMPDIR") from None


def _tidy(above: Path) -> None:
    """Removes the oldest folders of runs that have ended."""
    folders = []
    for path in above.glob("run-*"):
        with contextlib.suppress(OSError):
            folders.append((path.stat().st_mtime, path))
    for _, path in sorted(folders)[: -KEPT or None]:
        with contextlib.suppress(Timeout, OSError), RunFolder(path).running.acquire(timeout=0):
            shutil.rmtree(path, ignore_errors=True)
        if os.name == "nt" and not _runs(path):  # it removes no file that is open
            shutil.rmtree(path, ignore_errors=True)


def _runs(path: Path) -> bool:
    try:
        with RunFolder(path).running.acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True
