"""The table of hostile targets: what each sends, and what a run at it must end in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

from tests.hostile import senders
from tests.hostile.front import Send
from tests.hostile.senders import (
    MB,
    PLAIN_STREAM,
    STREAM,
    bomb,
    chunk,
    claims,
    coded,
    complete,
    drip,
    endless,
    event,
    flood,
    jpeg,
    pictured,
    png,
    raw_error,
    refusal,
    says,
    says_error,
    step,
    stream,
    with_event,
)

MEMORY = 512
"""MiB that no run may take."""
CPU = 120.0
"""Seconds of processor time that no run may take; an honest one takes about six."""


@dataclass(frozen=True)
class Hostile:
    """A target that answers `kind` (see front) with what `make` gives.

    The run ends with exit status `code`, and finds the ids in `breaks` broken, among others. `fast`: tried in CI.
    """

    name: str
    kind: str
    make: Callable[[], Send]
    breaks: tuple[str, ...] = ()
    code: int = 1
    fast: bool = False
    cpu: float = CPU


def _pings(seconds: float) -> Send:
    return drip(STREAM + chunk(step(1)), chunk(b": ping\n\n"), seconds)


def _after_complete(extra: bytes) -> Send:
    return with_event(extra, at_end=True)


_CHUNKED = b"HTTP/1.1 400 No\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
BIG = b"x" * (19 * MB)
TEXT = "red house"
ENVELOPE = ("ERR-02",)
OPEN = ("SRV-04",)
ENDS = ("GEN-EVT-14",)
PICTURE = ("GEN-PIC-01",)
JPEG = ("UPS-ANS-02",)

REFUSALS = (
    Hostile("refusal-of-19-mb", "refusal", lambda: says(says_error("x" * 19 * MB)), ENVELOPE, fast=True),
    Hostile("refusal-without-end", "refusal", lambda: flood(_CHUNKED, repeat(chunk(b"x" * 65536))), OPEN),
    Hostile(
        "refusal-of-empty-lists",
        "refusal",
        lambda: says(raw_error(b"[" + b"[]," * 340_000 + b"1]")),
        ENVELOPE,
        fast=True,
    ),
    Hostile("refusal-of-objects", "refusal", lambda: says(raw_error(b"[" + b"{}," * 340_000 + b"1]")), ENVELOPE),
    Hostile("refusal-of-numbers", "refusal", lambda: says(raw_error(b"[" + b"1," * 500_000 + b"1]")), ENVELOPE),
    Hostile(
        "refusal-of-keys",
        "refusal",
        lambda: says(raw_error(b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}")),
        ENVELOPE,
    ),
    Hostile(
        "refusal-of-one-key",
        "refusal",
        lambda: says(raw_error(b"{" + b",".join([b'"a":1'] * 150_000) + b"}")),
        ENVELOPE,
    ),
    Hostile("refusal-nested", "refusal", lambda: says(raw_error(b"[" * 19_000 + b"]" * 19_000)), ENVELOPE),
    Hostile("refusal-nested-beyond-count", "refusal", lambda: says(raw_error(b"[" * 400_000)), ENVELOPE),
    Hostile("refusal-with-a-number-of-a-megabyte", "refusal", lambda: says(raw_error(b"1" * 900_000)), ENVELOPE),
    Hostile(
        "refusal-in-gzip",
        "refusal",
        lambda: says(refusal(bomb(512 * MB), "Content-Encoding: gzip")),
        ENVELOPE,
        fast=True,
    ),
    Hostile(
        "refusal-in-brotli", "refusal", lambda: says(refusal(b"\xcf" + bytes(4000), "Content-Encoding: br")), ENVELOPE
    ),
    Hostile(
        "refusal-in-zstd",
        "refusal",
        lambda: says(refusal(b"\x28\xb5\x2f\xfd" + bytes(4000), "Content-Encoding: zstd")),
        ENVELOPE,
    ),
    Hostile(
        "refusal-in-three-codings",
        "refusal",
        lambda: says(refusal(bomb(64 * MB), "Content-Encoding: gzip, gzip, br")),
        ENVELOPE,
    ),
    Hostile("refusal-left-open", "refusal", lambda: flood(refusal(b"{", length=False), repeat(b"")), OPEN),
    Hostile(
        "refusal-shorter-than-said",
        "refusal",
        lambda: says(refusal(b"{}", "Content-Length: 99", length=False)),
        OPEN,  # what was cut says nothing of an envelope
    ),
    Hostile("refusal-of-negative-length", "refusal", lambda: says(refusal(b"{}", "Content-Length: -1", length=False))),
    Hostile(
        "refusal-of-two-lengths", "refusal", lambda: says(refusal(b"{}", "Content-Length: 7", "Content-Length: 2"))
    ),
    Hostile(
        "refusal-of-length-9e99", "refusal", lambda: says(refusal(b"{}", "Content-Length: " + "9" * 99, length=False))
    ),
    Hostile(
        "refusal-with-a-header-of-a-megabyte", "refusal", lambda: says(refusal(b"{}", "X-A: " + "a" * MB)), fast=True
    ),
    Hostile("refusal-with-5000-headers", "refusal", lambda: says(refusal(b"{}", *["X-A: 1"] * 5000)), ENVELOPE),
    Hostile(
        "refusal-with-headers-without-end",
        "refusal",
        lambda: flood(b"HTTP/1.1 400 No\r\n", repeat(b"X-A: 1\r\n" * 8000)),
    ),
    Hostile(
        "refusal-after-interim-answers", "refusal", lambda: flood(b"", repeat(b"HTTP/1.1 102 Wait\r\n\r\n" * 1000))
    ),
    Hostile("refusal-in-pieces-of-a-byte", "refusal", lambda: flood(_CHUNKED, repeat(chunk(b"x") * 1000)), OPEN),
    Hostile(
        "refusal-with-a-chunk-extension-without-end", "refusal", lambda: flood(_CHUNKED + b"1;a=", repeat(b"a" * 65536))
    ),
    Hostile(
        "refusal-with-a-trailer-without-end",
        "refusal",
        lambda: flood(_CHUNKED + b"0\r\n", repeat(b"X-A: 1\r\n" * 8000)),
    ),
    Hostile(
        "refusal-followed-by-more",
        "refusal",
        lambda: flood(says_error("no"), [b"HTTP/1.1 200 OK\r\n\r\n" * 3000] * 200),
        (),
        1,
    ),
)

WORDS = (
    Hostile(
        "words-for-a-runner",
        "refusal",
        lambda: says(refusal(b"\n::error::owned\n::stop-commands::x\n##[error]owned\n" * 9)),
        ENVELOPE,
        fast=True,
    ),
    Hostile(
        "words-for-a-runner-that-are-folded",
        "refusal",
        lambda: says(refusal(b"x " * 30 + b" ::error::owned ::stop-commands::x ##[error]owned" * 20)),
        ENVELOPE,
    ),
    Hostile(
        "words-for-a-terminal",
        "refusal",
        lambda: says(refusal(b"\x1b[2J\x1b]0;owned\x07\x9b31m\r\x08" * 9)),
        ENVELOPE,
        fast=True,
    ),
    Hostile(
        "words-for-a-browser",
        "refusal",
        lambda: says(refusal(b"<script>owned()</script><img src=x onerror=owned()>|[a](javascript:b)" * 9)),
        ENVELOPE,
    ),
    Hostile(
        "words-for-a-parser", "refusal", lambda: says(refusal(b"]]>\x00\x01\xff\xfe&#0;\xed\xa0\x80" * 9)), ENVELOPE
    ),
    Hostile(
        "words-that-turn-around",
        "refusal",
        lambda: says(refusal("\u202eowned\u2066\u200b\u2028".encode() * 9)),
        ENVELOPE,
    ),
    Hostile(
        "words-in-a-reason", "refusal", lambda: says(b"HTTP/1.1 400 ::error::\x1b[2J\xff\r\nContent-Length: 0\r\n\r\n")
    ),
    Hostile(
        "words-in-a-media-type",
        "refusal",
        lambda: says(refusal(b"{}", media_type="::error::<script>\xff" + "x" * 9000)),
        ("ERR-01",),
    ),
)

STREAMS = (
    Hostile("stream-without-end", "stream", lambda: endless(step(1))),
    Hostile("stream-of-steps-without-end", "stream", lambda: senders.steps),
    Hostile(
        "stream-of-a-million-events",
        "stream",
        lambda: with_event(b"event: a\ndata: 1\n\n" * 1_000_000),
        ("GEN-EVT-12",),
        cpu=240,
    ),
    Hostile(
        "stream-with-a-name-of-10-mb",
        "stream",
        lambda: with_event(b"event: " + b"a" * 10 * MB + b"\ndata: 1\n\n"),
        ("GEN-EVT-12",),
        fast=True,
    ),
    Hostile(
        "stream-with-an-event-of-10-mb",
        "stream",
        lambda: with_event(event("note", b'"' + b"x" * 10 * MB + b'"')),
        ("GEN-EVT-12",),
    ),
    Hostile(
        "stream-of-empty-lists",
        "stream",
        lambda: with_event(event("progress", b"[" + b"[]," * 1_000_000 + b"1]")),
        (),
        fast=True,
    ),
    Hostile(
        "stream-of-many-lists",
        "stream",
        lambda: with_event(event("progress", b"[" + b"[]," * 15_000 + b"1]") * 200),
        (),
    ),
    Hostile("stream-of-deep-lists", "stream", lambda: with_event(event("progress", b"[" * 5000 + b"]" * 5000)), ()),
    Hostile(
        "stream-of-deep-objects", "stream", lambda: with_event(event("progress", b'{"a":' * 90 + b"1" + b"}" * 90)), ()
    ),
    Hostile("stream-of-a-comment-without-end", "stream", lambda: endless(b"x", b": ")),
    Hostile("stream-of-comments-without-end", "stream", lambda: endless(b": ping\n\n")),
    Hostile("stream-of-a-line-without-end", "stream", lambda: endless(b"x", b"data: ")),
    Hostile("stream-of-lines-without-end", "stream", lambda: endless(b"data: x\n", b"event: progress\n")),
    Hostile(
        "stream-of-pictographs", "stream", lambda: endless(event("progress", '{"image":"\U0001f600"}'.encode() * 9000))
    ),
    Hostile(
        "stream-of-escapes",
        "stream",
        lambda: flood(STREAM, repeat(chunk(step(1, 4, b',"image":"' + b"x" * 2 * MB + b'\\ud83d\\ude00"')))),
    ),
    Hostile("stream-of-ids", "stream", lambda: endless(b"id: x\nretry: 1\n")),
    Hostile("stream-of-carriage-returns", "stream", lambda: endless(b"data: x\r")),
    Hostile("stream-of-empty-events", "stream", lambda: endless(b"event: a\n\n")),
    Hostile("stream-in-single-bytes", "stream", lambda: senders.in_single_bytes, (), 0),
    Hostile(
        "stream-in-gzip",
        "stream",
        lambda: flood(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n", [bomb(512 * MB)]
        ),
    ),
    Hostile("stream-left-open", "stream", lambda: senders.left_open_after, ENDS),
    Hostile("stream-that-never-begins", "stream", lambda: drip(STREAM, b"", 0.5)),
    Hostile("stream-of-pings", "stream", lambda: _pings(0.5)),
    Hostile(
        "stream-with-pings-after-complete", "stream", lambda: _after_complete(b": ping\n\n" * 200_000), ("GEN-SSE-11",)
    ),
    Hostile("stream-with-steps-after-complete", "stream", lambda: _after_complete(step(1) * 20_000), ENDS),
    Hostile("stream-that-is-reset", "stream", lambda: flood(PLAIN_STREAM, [step(1)]), ("GEN-EVT-12",)),
    Hostile(
        "stream-of-nan-and-huge-numbers",
        "stream",
        lambda: stream(event("progress", b'{"type":"progress","step":NaN,"total_steps":1e999}'), step(10**400)),
    ),
    Hostile(
        "stream-that-ends-in-a-long-error",
        "stream",
        lambda: stream(event("error", b'{"type":"error","message":"' + b"::error::<b> " * 20_000 + b'"}')),
    ),
)

PICTURES = (
    Hostile(
        "picture-of-33-megapixels",
        "stream",
        lambda: stream(complete(coded(png(8192, 4096)), 8192, 4096, b',"format":"png"'), b""),
        (),
    ),
    Hostile(
        "picture-that-claims-4-gigapixels",
        "stream",
        lambda: stream(complete(coded(claims(jpeg(64, 64), 65000, 65000)), 65000, 65000, b',"format":"jpeg"')),
    ),
    Hostile("picture-of-raw-size-1e9", "stream", lambda: stream(complete(coded(bytes(64 * 64 * 3)), 10**9, 10**9))),
    Hostile("picture-of-negative-size", "stream", lambda: stream(complete(coded(bytes(64 * 64 * 3)), -64, -64))),
    Hostile("picture-of-bad-base64", "stream", lambda: stream(complete(b"*" * 3 * MB))),
    Hostile(
        "enlargement-with-19-mb-of-padding",
        "picture",
        lambda: pictured(b"\xff\xd8" + bytes(19 * MB) + jpeg(96, 64)[2:]),
        JPEG,
        fast=True,
    ),
    Hostile(
        "enlargement-with-fill-bytes",
        "picture",
        lambda: pictured(b"\xff\xd8" + b"\xff" * 19 * MB + jpeg(96, 64)[2:]),
        JPEG,
    ),
    Hostile(
        "enlargement-of-a-million-segments",
        "picture",
        lambda: pictured(b"\xff\xd8" + b"\xff\xe1\x00\x02" * 1_000_000 + jpeg(96, 64)[2:]),
        JPEG,
    ),
    Hostile("enlargement-of-33-megapixels", "picture", lambda: pictured(jpeg(8192, 4096)), JPEG),
    Hostile(
        "enlargement-that-claims-4-gigapixels", "picture", lambda: pictured(claims(jpeg(96, 64), 65000, 65000)), JPEG
    ),
    Hostile("enlargement-that-breaks-off", "picture", lambda: pictured(jpeg(96, 64)[:-40]), JPEG),
    Hostile("enlargement-as-png", "picture", lambda: pictured(png(6000, 6000)), JPEG),
    Hostile(
        "enlargement-of-500-mb",
        "picture",
        lambda: flood(
            b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 524288000\r\n\r\n", [bytes(MB)] * 500
        ),
        JPEG,
    ),
    Hostile(
        "enlargement-with-a-size-of-1e5-digits",
        "picture",
        lambda: pictured(jpeg(96, 64), "X-Output-Width: " + "9" * 50_000, "X-Duration-Ms: " + "9" * 9000),
        ("UPS-ANS-05",),
    ),
)

OTHERS = (
    Hostile(
        "health-of-interim-answers",
        "health",
        lambda: flood(b"", repeat(b"HTTP/1.1 102 Wait\r\n\r\n" * 1000)),
        ("HLT-01",),
    ),
    Hostile(
        "health-with-a-body-without-end",
        "health",
        lambda: flood(b"HTTP/1.1 200 OK\r\n\r\n", repeat(bytes(65536))),
        ("SRV-04",),
    ),
    Hostile(
        "health-with-a-header-of-a-megabyte",
        "health",
        lambda: says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * MB + b"\r\n\r\n"),
        ("HLT-01",),
    ),
    Hostile("health-that-is-not-http", "health", lambda: says(b"\x16\x03\x01\x02\x00 hello" * 9), ("HLT-01",)),
    Hostile("all-closed-at-once", "all", lambda: says(b""), (), 6),
    Hostile("all-bytes-that-are-not-http", "all", lambda: flood(b"", repeat(b"SSH-2.0\r\n" * 8000)), (), 6),
    Hostile("all-interim-answers", "all", lambda: flood(b"", repeat(b"HTTP/1.1 103 Early\r\n\r\n" * 1000)), (), 6),
    Hostile("all-200-without-end", "all", lambda: flood(b"HTTP/1.1 200 OK\r\n\r\n", repeat(bytes(65536)))),
    Hostile(
        "all-refused-with-19-mb", "all", lambda: flood(refusal(b"", f"Content-Length: {len(BIG)}", length=False), [BIG])
    ),
)

TARGETS = (*REFUSALS, *WORDS, *STREAMS, *PICTURES, *OTHERS)
