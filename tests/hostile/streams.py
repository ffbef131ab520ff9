"""Hostile targets that answer POST /generate."""

from __future__ import annotations

from itertools import repeat

from tests.hostile import senders
from tests.hostile.front import Send
from tests.hostile.hostile import Hostile
from tests.hostile.senders import (
    MB,
    PLAIN_STREAM,
    STREAM,
    bomb,
    chunk,
    drip,
    endless,
    event,
    flood,
    step,
    stream,
    with_event,
)

ENDS = ("GEN-EVT-14",)


def _pings(seconds: float) -> Send:
    return drip(STREAM + chunk(step(1)), chunk(b": ping\n\n"), seconds)


def _after_complete(extra: bytes) -> Send:
    return with_event(extra, at_end=True)


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
