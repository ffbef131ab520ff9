"""The suite's own readers of what a target sends, as targets of the fuzzer: none may raise, whatever comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.strict_json import parse
from local_dream_conformance.evidence.images import BadPicture, decode, kind_of, of_payload
from local_dream_conformance.http import coding, sse
from tests.hostile.senders import bomb, complete, event, jpeg, png, step

PIXELS = 1 << 20
"""More no picture may have, before it is decoded."""
INFLATED = 1 << 16
"""Bytes that are asked of a decoder at a time; one of br or zstd may give a block more."""


def suite_sse(data: bytes) -> None:
    """Event streams: the same events whole and in two pieces, and a diagnosis for what is wrong."""
    half = len(data) // 2
    decoder = sse.Decoder()
    pieces = [*decoder.feed(data[:half]), *decoder.feed(data[half:])]
    decoder.close()
    whole = sse.Decoder()
    assert [one.data for one in whole.feed(data)] == [one.data for one in pieces]
    for one in pieces:
        sse.meaning(one)
        sse.step(one)
    list(sse.as_read_by_clients(data))


def suite_json(data: bytes) -> None:
    """JSON: a value, or a sentence that says what is wrong."""
    parse(data)
    escape(data.decode("utf-8", "replace"))


def suite_picture(data: bytes) -> None:
    """Pictures: decoded within the bound of pixels, or BadPicture; the same for what an event says of one."""
    if kind := kind_of(data):
        with suppress(BadPicture):
            assert decode(data, kind, PIXELS).pixels.size <= 3 * PIXELS
    payload = None
    with suppress(ValueError, RecursionError):  # of json: the suite has read an event before it looks for its picture
        payload = json.loads(data)
    if isinstance(payload, dict):
        with suppress(ValueError):
            of_payload(payload, (64, 64), PIXELS)


def suite_coding(data: bytes) -> None:
    """Answers in the codings that browsers ask for: bytes within the bound, or ValueError."""
    for name in coding.DECODERS:
        if decoder := coding.decoder(name, name):
            with suppress(ValueError):
                assert len(decoder.feed(data[:20], INFLATED)) + len(decoder.feed(data[20:], INFLATED)) < 40 * INFLATED


STREAM = step(1) + b": ping\n\nid: 1\nretry: 5\r\n\r\n" + complete(b"AAAA", 1, 1) + event("error", b"{}")
SUITE: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "suite_sse": (suite_sse, (STREAM, b"\xef\xbb\xbfdata:x\r\rdata\n\n", STREAM.replace(b"\n", b"\r\n"))),
    "suite_json": (suite_json, (b'{"error":{"message":"no","type":"x"},"n":[1,-2.5e9,null,true]}', b'{"a":1,"a":2}')),
    "suite_picture": (suite_picture, (jpeg(64, 48), png(16, 8), b'{"image":"AAAA","width":1,"height":1}')),
    "suite_coding": (suite_coding, (bomb(1 << 20), bomb(1 << 20, "deflate"))),
}
