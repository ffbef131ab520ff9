"""Converted models on disk: folders that are whole or not there, however many processes write and whatever breaks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

MANIFEST: Final = "manifest.json"
"""Names of the files with their digests; written last."""

KEPT: Final = 8
"""Conversions that stay; beyond, those used longest ago are deleted."""


def cache_root() -> Path:
    """The folder of this project's caches, by the rules of the system."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    else:
        base = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return base / "local-dream"


def fingerprint(files: Iterable[Path], *others: Any) -> str:
    """A name that changes with any of the files (name, size, time of change; small ones by content) and ``others``.

    Weights of gigabytes are not read for it.
    """
    digest = hashlib.blake2b(json.dumps(others).encode(), digest_size=16)
    for path in sorted(files):
        status = path.stat()
        seen = path.read_bytes() if status.st_size < 2**16 else str(status.st_mtime_ns).encode()
        digest.update(f"\0{path}\0{status.st_size}\0".encode() + seen)
    return digest.hexdigest()


class ConversionCache:
    """Folders of files below ``root``, by name."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root() / "openvino"

    def find(self, key: str) -> Path | None:
        """The folder, if every file of it is as it was written. A broken one is deleted."""
        folder = self.root / key
        if not folder.is_dir():
            return None
        if not _whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            return None
        with suppress(OSError):  # read-only: it then counts as not used
            os.utime(folder)
        return folder

    def store(self, key: str, write: Callable[[Path], None]) -> Path:
        """Let ``write`` fill a temporary folder and rename it. Raises OSError, and what ``write`` raises.

        Where another process was faster, its folder stays.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
        try:
            write(temporary)
            digests = {path.name: _digest(path) for path in sorted(temporary.iterdir())}
            (temporary / MANIFEST).write_text(json.dumps(digests), encoding="utf-8")
            try:
                temporary.rename(self.root / key)
            except OSError:
                if self.find(key) is None:
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self._forget(key)
        return self.root / key

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Waits until no other process is in here with this key. Where a file system has no locks, nobody waits."""
        place = self.root / f".{key}.lock"
        with ExitStack() as held:
            with suppress(OSError, NotImplementedError):
                held.enter_context(FileLock(place))
            try:
                yield
            finally:
                with suppress(OSError):  # Windows keeps the file of a lock that somebody holds
                    place.unlink()

    def _forget(self, newest: str) -> None:
        """Delete what was used longest ago; a folder that is in use elsewhere may stay."""
        folders = [path for path in self.root.iterdir() if path.is_dir() and path.name != newest]
        with suppress(OSError):
            for old in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT - 1 :]:
                shutil.rmtree(old, ignore_errors=True)


def _whole(folder: Path) -> bool:
    try:
        digests = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool(digests) and all(_digest(folder / name) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
