"""The table of hostile targets: what each sends, and what a run at it must end in."""

from __future__ import annotations

from itertools import repeat

from tests.hostile.hostile import Hostile
from tests.hostile.pictures import PICTURES
from tests.hostile.refusals import REFUSALS, WORDS
from tests.hostile.senders import (
    MB,
    flood,
    refusal,
    says,
)
from tests.hostile.streams import STREAMS

BIG = b"x" * (19 * MB)

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
