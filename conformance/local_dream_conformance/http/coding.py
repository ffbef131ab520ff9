"""Content codings that the suite asks for as browsers do: gzip, deflate, br and zstd, decoded piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

NOTE = "content-coding"
"""The note on an exchange whose body was coded: it is kept decoded."""
ZSTANDARD_WINDOW = 8 << 20
"""Bytes that a decoder of zstd must be ready to look back."""
SLICE = 1024
"""Bytes of zstd that are decoded before the size of what comes out is looked at."""


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


class _Brotli:
    """br (RFC 7932)."""

    def __init__(self, coding: str) -> None:
        import brotli  # here, since few answers need it

        self._error, self._stream = brotli.error, brotli.Decompressor()

    def feed(self, data: bytes, most: int) -> bytes:
        try:
            found: bytes = self._stream.process(data, output_buffer_limit=max(1, most)) if data else b""
        except self._error:
            raise ValueError("the body is not br, as Content-Encoding says") from None
        return found


class _Zstandard:
    """zstd (RFC 8878), in the window that RFC 9659 allows."""

    def __init__(self, coding: str) -> None:
        import zstandard  # here, since few answers need it

        self._error = zstandard.ZstdError
        self._stream = zstandard.ZstdDecompressor(max_window_size=ZSTANDARD_WINDOW).decompressobj(
            read_across_frames=True
        )

    def feed(self, data: bytes, most: int) -> bytes:
        found = bytearray()
        try:
            for start in range(0, len(data), SLICE):
                found += self._stream.decompress(data[start : start + SLICE])
                if len(found) >= most:
                    break
        except self._error as error:
            raise ValueError(f"the body is not zstd, as Content-Encoding says: {error}") from None
        return bytes(found)


def decoder(asked: str, coding: str) -> Decoder | None:
    """What decodes a body of a coding that the request asked for with Accept-Encoding; None where nothing does."""
    name = {"x-gzip": "gzip"}.get(coding.strip().lower(), coding.strip().lower())
    wanted = [part.partition(";")[0].strip().lower() for part in asked.split(",")]
    return DECODERS[name](name) if name in DECODERS and name in wanted else None


DECODERS: Mapping[str, Callable[[str], Decoder]] = {
    "gzip": _Zlib,
    "deflate": _Zlib,
    "br": _Brotli,
    "zstd": _Zstandard,
}
"""By the names that Accept-Encoding and Content-Encoding use."""
