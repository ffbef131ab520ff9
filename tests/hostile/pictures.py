"""Hostile targets that send pictures, in a stream or as an enlargement."""

from __future__ import annotations

from tests.hostile.hostile import Hostile
from tests.hostile.senders import (
    MB,
    claims,
    coded,
    complete,
    flood,
    jpeg,
    pictured,
    png,
    stream,
)

JPEG = ("UPS-ANS-02",)

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
