"""The pieces in which an answer arrived: in memory while they are small and few, else in a file.

A run looks at hundreds of answers, of which a target chooses the size. Those that are large lie on the disk and are
read when they are looked at, so that memory has a bound that does not depend on the target.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, overload

IN_MEMORY, PIECES = 16 << 10, 64
"""Bytes, and pieces, up to which an answer is kept in memory."""


@dataclass(frozen=True, slots=True)
class Read:
    """Body bytes (transfer coding removed) that arrived together, `at` seconds after the request began."""

    at: float
    data: bytes


class StoredReads(Sequence[Read]):
    """Pieces whose bytes lie in a file, one after another; every look reads them anew.

    `times` are seconds since the request began, `sizes` bytes.
    """

    def __init__(self, path: Path, times: Iterable[float], sizes: Iterable[int]) -> None:
        self.path = path
        self.times = array("d", times)
        self.sizes = array("L", sizes)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(self.sizes)

    def data(self) -> bytes:
        """All bytes."""
        return self.path.read_bytes()

    def copy_to(self, path: Path) -> None:
        """The bytes in another file."""
        try:
            os.link(self.path, path)
        except OSError:  # another file system, or one without links
            shutil.copyfile(self.path, path)

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[Read]:
        with self.path.open("rb") as file:
            for at, size in zip(self.times, self.sizes, strict=True):
                yield Read(at, file.read(size))

    @overload
    def __getitem__(self, index: int) -> Read: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Read, ...]: ...
    def __getitem__(self, index: int | slice) -> Read | tuple[Read, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        with self.path.open("rb") as file:
            file.seek(sum(self.sizes[: range(len(self))[index]]))
            return Read(self.times[index], file.read(self.sizes[index]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(Read.__eq__, self, other))

    def __hash__(self) -> int:
        return hash((len(self), self.size))


class Pieces:
    """Gathers the pieces of one answer; in `place` once they are many, in memory alone where that is None."""

    def __init__(self, place: Path | None = None) -> None:
        self.size = 0
        self._place = place
        self._kept: list[Read] = []
        self._times, self._sizes = array("d"), array("L")
        self._file: BinaryIO | None = None
        self._path = Path()

    def __len__(self) -> int:
        return len(self._kept) or len(self._sizes)

    def append(self, at: float, data: bytes) -> None:
        """Takes one more. Raises OSError where the disk has no room."""
        self.size += len(data)
        if self._file is None:
            self._kept.append(Read(at, data))
            if self._place is not None and (self.size > IN_MEMORY or len(self._kept) > PIECES):
                self._spill(self._place)
            return
        self._write(at, data)

    def _spill(self, place: Path) -> None:
        place.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place)
        self._path, self._file = Path(name), os.fdopen(handle, "wb", buffering=0)
        for read in self._kept:
            self._write(read.at, read.data)
        self._kept.clear()

    def _write(self, at: float, data: bytes) -> None:
        assert self._file is not None
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._times.append(at)
        self._sizes.append(len(data))

    def reads(self) -> Sequence[Read]:
        """What was gathered. Nothing can be added any more."""
        if self._file is None:
            return tuple(self._kept)
        self._file.close()
        return StoredReads(self._path, self._times, self._sizes)
