"""Hostile targets that answer a request that is wrong: with too much, without an end, or in words for others."""

from __future__ import annotations

from itertools import repeat

from tests.hostile.hostile import Hostile
from tests.hostile.senders import (
    MB,
    bomb,
    chunk,
    flood,
    raw_error,
    refusal,
    says,
    says_error,
)

_CHUNKED = b"HTTP/1.1 400 No\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
ENVELOPE = ("ERR-02",)
OPEN = ("SRV-04",)

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
