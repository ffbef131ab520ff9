"""Content codings that the suite asks for as the HTTP libraries of clients do: gzip and deflate, piece by piece."""

from __future__ import annotations

import zlib
from typing import Protocol

NOTE = "content-coding"
"""The note on an exchange whose body was coded: it is kept decoded."""


class Decoder(Protocol):
    """Decodes a body. Raises ValueError where it is not coded so."""

    def feed(self, data: bytes, most: int) -> bytes:
        """What the next bytes decode to; at most about `most` bytes are made of them."""


class _Zlib:
    """gzip (RFC 1952), and deflate with the zlib wrapper or, as some servers send it, without."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS)
        self._begun = False

    def feed(self, data: bytes, most: int) -> bytes:
        if not data or self._stream.eof:
            return b""
        try:
            found = self._stream.decompress(data, max(1, most))
        except zlib.error as error:
            if self._coding == "gzip" or self._begun:
                raise ValueError(f"the body is not {self._coding}, as Content-Encoding says: {error}") from None
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
            self._begun = True
            return self.feed(data, most)
        self._begun = True
        return found


def decoder(asked: str, coding: str) -> Decoder | None:
    """What decodes a body of a coding that the request asked for with Accept-Encoding; None where nothing does."""
    name = {"x-gzip": "gzip"}.get(coding.strip().lower(), coding.strip().lower())
    wanted = [part.partition(";")[0].strip().lower() for part in asked.split(",")]
    return _Zlib(name) if name in ("gzip", "deflate") and name in wanted else None
