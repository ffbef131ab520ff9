"""Bodies in the codings that browsers ask for are decoded as they come; others are left as they are."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from local_dream_conformance.core.exchange import End, Request
from local_dream_conformance.http.coding import NOTE, decoder
from local_dream_conformance.http.patience import Limits
from local_dream_conformance.scenarios.forms import BROWSER_CODINGS
from tests.conformance.http.wire_scripts import CHUNKED, OK, answer_with, ask, chunk
from tests.conformance.scripted_server import serving

TEXT = b"event: progress\ndata: {}\n\n" * 40
ASKING = Request("GET", "/health", (("Accept-Encoding", BROWSER_CODINGS),))
WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def coded(coding: str, body: bytes) -> bytes:
    return OK + f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("coding", WHOLE)
def test_what_was_asked_for_is_decoded(coding: str) -> None:
    with serving(answer_with(coded(coding, WHOLE[coding](TEXT)))) as url:
        exchange = ask(url, ASKING)
    assert (exchange.end, exchange.body) == (End.COMPLETE, TEXT)
    assert dict(exchange.notes)[NOTE] == coding


@pytest.mark.parametrize("coding", WHOLE)
def test_what_was_not_asked_for_is_left_as_it_is(coding: str) -> None:
    body = WHOLE[coding](TEXT)
    with serving(answer_with(coded(coding, body))) as url:
        assert ask(url).body == body


@pytest.mark.parametrize("coding", WHOLE)
def test_a_body_that_is_not_coded_so_is_malformed(coding: str) -> None:
    with serving(answer_with(coded(coding, TEXT))) as url:
        exchange = ask(url, ASKING)
    assert exchange.end is End.MALFORMED
    assert coding.removeprefix("x-") in exchange.detail


def pieces(coding: str, parts: list[bytes]) -> list[bytes]:
    """Each part compressed and flushed, as servers flush events."""
    match coding:
        case "br":
            one = brotli.Compressor()
            return [one.process(part) + one.flush() for part in parts]
        case "zstd":
            other = zstandard.ZstdCompressor().compressobj()
            flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
            return [other.compress(part) + other.flush(flush) for part in parts]
    stream = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return [stream.compress(part) + stream.flush(zlib.Z_SYNC_FLUSH) for part in parts]


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_events_that_are_flushed_come_out_one_by_one(coding: str) -> None:
    events = [f"data: {number}\n\n".encode() for number in range(5)]
    reading = decoder(BROWSER_CODINGS, coding)
    assert reading
    assert [reading.feed(piece, 1 << 20) for piece in pieces(coding, events)] == events


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_ends_at_the_limit(coding: str) -> None:
    body = WHOLE[coding](bytes(64 << 20))
    with serving(
        answer_with(CHUNKED.replace(b"\r\n\r\n", f"\r\nContent-Encoding: {coding}\r\n\r\n".encode()) + chunk(body))
    ) as url:
        exchange = ask(url, ASKING, Limits(idle=30, total=60, size=1 << 20))
    assert exchange.end is End.TOO_LARGE
    assert len(exchange.body) < 40 << 20
