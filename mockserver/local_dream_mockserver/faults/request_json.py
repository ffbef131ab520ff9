"""Faults of bodies of POST /generate that are not the JSON they must be, and are taken or refused in another way."""

from __future__ import annotations

import json
import re

from local_dream_mockserver.faults.bodies import Taken
from local_dream_mockserver.faults.catalogue import fault
from local_dream_mockserver.faults.request import REQUEST, about, because, status, taken, whatever
from local_dream_mockserver.server.errors import APIError, Code

MALFORMED = because(Code.MALFORMED_JSON, Code.JSON_TAIL, Code.JSON_CONSTANT)
EMPTY = about("body", Code.EMPTY)
BRACKETS = re.compile(rb"\[{100,}\]{100,}")


taken(
    "malformed-json-taken",
    "A body that is not well-formed JSON gets a picture of something.",
    ("GEN-REQ-02",),
    MALFORMED,
    whatever,
)
status(
    "malformed-json-500",
    "A body that is not well-formed JSON is answered with status 500.",
    ("GEN-REQ-02",),
    500,
    MALFORMED,
)


@fault(
    "json-tail-ignored",
    "What follows the JSON object in a body is not looked at.",
    layer=REQUEST,
    breaks=("GEN-REQ-02",),
)
class JsonTailIgnored(Taken):
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        if problem.code is not Code.JSON_TAIL:
            return None
        return json.dumps(json.JSONDecoder().raw_decode(body.decode())[0]).encode()


@fault("nan-taken", "NaN is taken for a number in the body.", layer=REQUEST, breaks=("GEN-REQ-02",))
class NanTaken(Taken):
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        return body.replace(b"NaN", b"7.5") if problem.code is Code.JSON_CONSTANT else None


taken(
    "empty-body-taken",
    "An empty body gets a picture of something.",
    ("GEN-REQ-03",),
    EMPTY,
    whatever,
)
status("empty-body-411", "An empty body is refused with status 411.", ("GEN-REQ-03",), 411, EMPTY)
taken(
    "no-object-taken",
    "A body that is JSON but not an object gets a picture of something.",
    ("GEN-REQ-04",),
    because(Code.NOT_AN_OBJECT),
    whatever,
)
status(
    "no-object-500",
    "A body that is JSON but not an object is answered with status 500.",
    ("GEN-REQ-04",),
    500,
    because(Code.NOT_AN_OBJECT),
)


@fault(
    "utf8-mended", "Bytes that are not UTF-8 are replaced, and the body is taken.", layer=REQUEST, breaks=("ERR-07",)
)
class Utf8Mended(Taken):
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        return body.decode("utf-8", "replace").encode() if problem.code is Code.NOT_UTF8 else None


@fault("latin1-taken", "A body that is not UTF-8 is read as Latin-1.", layer=REQUEST, breaks=("ERR-07",))
class Latin1Taken(Taken):
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        return body.decode("latin-1").encode() if problem.code is Code.NOT_UTF8 else None


@fault(
    "nesting-flattened",
    "JSON that is nested thousands of levels deep is taken.",
    layer=REQUEST,
    breaks=("ROB-08",),
)
class NestingFlattened(Taken):
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        return BRACKETS.sub(b"[]", body) if problem.code is Code.JSON_TOO_DEEP else None
