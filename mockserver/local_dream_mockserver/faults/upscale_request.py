"""Faults of which requests POST /upscale takes, and how it refuses the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.bodies import Meant
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.middleware import (
    ReplaceResponse,
    Reply,
    RequestMiddleware,
    RewriteResponse,
    body_of,
    refusal_of,
    replayed,
)
from local_dream_mockserver.faults.request import about, because
from local_dream_mockserver.faults.server import refusal
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server import upscale as server
from local_dream_mockserver.server.errors import APIError, Code

UPSCALE = Layer.UPSCALE
STAND_IN = Path(__file__).parent / "stand_in"
"""What a path traversal reads: files of this package, which look like those that must not be read."""
WIDTH, HEIGHT, PATH, FLAG = "x-image-width", "x-image-height", "x-upscaler-path", "x-use-opencl"
Headers = Mapping[str, str]
Other = Callable[[Headers, bytes], "tuple[Headers, bytes] | None"]


def _number(text: str) -> int:
    """A header as a number, 0 where it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else 0


def _length(headers: Headers) -> int:
    """How long the body should be."""
    return _number(headers.get(WIDTH, "")) * _number(headers.get(HEIGHT, "")) * 3


class Read(RequestMiddleware):
    """Reads another request than was sent, where `other` gives one."""

    paths: tuple[str, ...] = ("/upscale",)
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, place: Trigger | None, other: Other) -> None:
        super().__init__(place)
        self.other = other

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        other = self.other(headers, body)
        if other is None:
            await app(scope, replayed(body, receive), send)
            return
        self.happened()
        headers, body = {**other[0], "content-length": str(len(other[1]))}, other[1]
        headers.pop("transfer-encoding", None)
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await app({**scope, "headers": pairs}, replayed(body, receive), send)


def _taken(name: str, sentence: str, breaks: tuple[str, ...], other: Other) -> None:
    fault(name, sentence, layer=UPSCALE, breaks=breaks)(partial(Read, other=other))


def _default(name: str, value: Callable[[Headers, bytes], str]) -> Other:
    """A header that was left out."""
    return lambda headers, body: None if name in headers else ({**headers, name: value(headers, body)}, body)


def _edge(other: str) -> Callable[[Headers, bytes], str]:
    """The edge that makes the body fit."""
    return lambda headers, body: str(len(body) // 3 // max(1, _number(headers.get(other, ""))))


def _fitted(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """The body cut, or filled with zeros."""
    return headers, body[: _length(headers)].ljust(_length(headers), b"\0")


def _if(meant: Callable[[Headers, bytes], bool], other: Callable[[Headers, bytes], tuple[Headers, bytes]]) -> Other:
    return lambda headers, body: other(headers, body) if meant(headers, body) else None


def _with(change: Callable[[str], str], *names: str) -> Other:
    """Other values of headers, where they change."""

    def other(headers: Headers, body: bytes) -> tuple[Headers, bytes] | None:
        changed = {name: change(headers[name]) for name in names if name in headers}
        after = {**headers, **changed}
        return (after, body) if after != headers else None

    return other


_taken(
    "width-guessed",
    "Without X-Image-Width it is reckoned from the body.",
    ("UPS-REQ-01",),
    _default(WIDTH, _edge(HEIGHT)),
)
_taken(
    "height-guessed",
    "Without X-Image-Height it is reckoned from the body.",
    ("UPS-REQ-02",),
    _default(HEIGHT, _edge(WIDTH)),
)
_taken(
    "upscaler-by-default",
    "Without X-Upscaler-Path the default model is taken.",
    ("UPS-REQ-03",),
    _default(PATH, lambda headers, body: "default"),
)


def _sized(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """A width or height that is no number is reckoned from the body."""
    name, other = (WIDTH, HEIGHT) if not headers[WIDTH].isdigit() else (HEIGHT, WIDTH)
    return {**headers, name: _edge(other)(headers, body)}, body


_taken(
    "size-that-is-no-number-guessed",
    "An X-Image-Width or X-Image-Height of letters is reckoned from the body.",
    ("UPS-REQ-04",),
    _if(lambda headers, body: "abc" in (headers.get(WIDTH), headers.get(HEIGHT)), _sized),
)
_taken(
    "short-body-filled",
    "A body that is too short is filled with zeros.",
    ("UPS-REQ-05",),
    _if(lambda headers, body: 0 < len(body) < _length(headers) < 10_000, _fitted),
)
_taken(
    "long-body-cut",
    "Of a body that is too long the rest is not looked at.",
    ("UPS-REQ-06",),
    _if(lambda headers, body: len(body) > _length(headers) > 0, _fitted),
)
_taken(
    "empty-body-is-black",
    "An empty body is taken for a black picture.",
    ("UPS-REQ-07",),
    _if(lambda headers, body: not body and 0 < _length(headers) < 10_000, _fitted),
)
_taken(
    "body-length-unlooked",
    "The length of the body is looked at only for pictures up to 12 pixels wide.",
    ("UPS-REQ-16",),
    _if(
        lambda headers, body: _number(headers.get(WIDTH, "")) > 12 and len(body) != _length(headers) < 3_000_000,
        _fitted,
    ),
)


def _small(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    return {**headers, WIDTH: "1", HEIGHT: "1"}, b"\0\0\0"


_taken(
    "size-overflows",
    "The length of a body is reckoned in 32 bits: an empty one does for 65536x65536.",
    ("UPS-REQ-16",),
    _if(lambda headers, body: _length(headers) >= 2**32 and _length(headers) % 2**32 == len(body), _small),
)
_taken(
    "zero-size-taken",
    "An X-Image-Width or X-Image-Height of 0 is taken for 1.",
    ("UPS-REQ-12",),
    _if(
        lambda headers, body: "0" in (headers.get(WIDTH), headers.get(HEIGHT)),
        _small,
    ),
)


def _positive(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    return {**headers, WIDTH: headers[WIDTH].lstrip("-"), HEIGHT: headers[HEIGHT].lstrip("-")}, body


fault(
    "negative-size-taken",
    "Of a negative size the sign is not looked at.",
    layer=UPSCALE,
    breaks=("UPS-REQ-13",),
)(
    partial(
        Read,
        other=_if(
            lambda headers, body: (
                any(re.fullmatch("-[0-9]{1,4}", headers.get(name, "")) for name in (WIDTH, HEIGHT))
                and WIDTH in headers
                and HEIGHT in headers
            ),
            _positive,
        ),
    )
)
_taken(
    "size-read-to-the-first-letter",
    "Of X-Image-Width and X-Image-Height the digits at the beginning are read, as std::stoi does.",
    ("UPS-REQ-14",),
    _with(lambda text: found[0] if (found := re.match("[0-9]{1,9}(?=[^0-9])", text)) else text, WIDTH, HEIGHT),
)
_taken(
    "size-cut-to-32-bits",
    "Of X-Image-Width and X-Image-Height the lower 32 bits are read.",
    ("UPS-REQ-15",),
    _with(lambda text: str(int(text) % 2**32) if re.fullmatch("[0-9]{10,20}", text) else text, WIDTH, HEIGHT),
)


class OtherRefusal(RewriteResponse):
    """Another answer in place of the refusals that are meant."""

    paths: tuple[str, ...] = ("/upscale",)

    def __init__(self, place: Trigger | None, meant: Meant, answer: Callable[[Reply], Reply]) -> None:
        super().__init__(place)
        self.meant = meant
        self.answer = answer

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        problem = refusal_of(scope)
        return self.answer(reply) if problem and self.meant(problem) else reply


def _other_status(status: int) -> Callable[[Reply], Reply]:
    return lambda reply: refusal(status, reply.json["error"]["message"])


def _refused(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    answer: Callable[[Reply], Reply],
    meant: Meant,
) -> None:
    fault(name, sentence, layer=UPSCALE, breaks=breaks)(partial(OtherRefusal, meant=meant, answer=answer))


def _of_a_size(problem: APIError) -> bool:
    return problem.field in (server.WIDTH, server.HEIGHT) and problem.code is Code.WRONG_FORM


_refused(
    "upscale-headers-missing-500",
    "An upscale without one of its headers is answered with status 500.",
    ("UPS-REQ-01", "UPS-REQ-02", "UPS-REQ-03"),
    _other_status(500),
    because(Code.MISSING),
)
_refused(
    "upscale-size-500",
    "An X-Image-Width or X-Image-Height that is no number is answered with status 500.",
    ("UPS-REQ-04", "UPS-REQ-12", "UPS-REQ-14", "UPS-REQ-15", "UPS-REQ-16"),
    _other_status(500),
    _of_a_size,
)
_refused(
    "upscale-length-413",
    "A body of the wrong length is answered with status 413.",
    ("UPS-REQ-05", "UPS-REQ-06", "UPS-REQ-07", "UPS-REQ-16"),
    _other_status(413),
    because(Code.WRONG_LENGTH),
)
UNKNOWN = about(server.PATH, Code.ENGINE)
"""An engine refuses the name of a model that it does not have."""
_refused(
    "unknown-upscaler-bare",
    "An unknown X-Upscaler-Path is answered with status 404 and no body.",
    ("UPS-REQ-09",),
    lambda reply: Reply(404),
    UNKNOWN,
)
_refused(
    "unknown-upscaler-500",
    "An unknown X-Upscaler-Path is answered with status 500.",
    ("UPS-REQ-10",),
    _other_status(500),
    UNKNOWN,
)
_taken(
    "unknown-upscaler-taken",
    "An unknown X-Upscaler-Path that is no path is taken for the default model.",
    ("UPS-REQ-09",),
    _with(lambda path: path if "/" in path or not path else "default", PATH),
)
_taken(
    "any-upscaler-file-taken",
    "An X-Upscaler-Path anywhere in the file system is taken for the default model.",
    ("UPS-REQ-11",),
    _with(lambda path: "default" if "/" in path else path, PATH),
)


@fault(
    "upscaler-file-quoted",
    "The refusal of an X-Upscaler-Path quotes the file (here: a harmless one of this package).",
    layer=UPSCALE,
    breaks=("UPS-REQ-11",),
)
class FileQuoted(ReplaceResponse):
    paths: tuple[str, ...] = ("/upscale",)

    def reply(self, scope: Scope) -> Reply | None:
        path = next((value.decode("latin-1") for name, value in scope["headers"] if name == PATH.encode()), "")
        file = STAND_IN / Path(path).name
        if "/" not in path or not file.is_file():
            return None
        return refusal(400, f"X-Upscaler-Path: no model begins with {file.read_text(encoding='ascii')[:40]!r}")


class Flagged(ReplaceResponse):
    """Refuses some values of X-Use-OpenCL."""

    paths: tuple[str, ...] = ("/upscale",)

    def __init__(self, place: Trigger | None, refused: tuple[str | None, ...]) -> None:
        super().__init__(place)
        self.refused = refused

    def reply(self, scope: Scope) -> Reply | None:
        value = next((value.decode("latin-1") for name, value in scope["headers"] if name == FLAG.encode()), None)
        known = any(name == PATH.encode() and value == b"default" for name, value in scope["headers"])
        return refusal(400, "X-Use-OpenCL: not a boolean") if known and value in self.refused else None


fault(
    "opencl-as-digit-refused",
    "X-Use-OpenCL is refused as 1 and 0.",
    layer=UPSCALE,
    breaks=("UPS-REQ-08",),
)(partial(Flagged, refused=("1", "0")))
fault(
    "opencl-as-word-refused",
    "X-Use-OpenCL is refused as true and false.",
    layer=UPSCALE,
    breaks=("UPS-REQ-08",),
)(partial(Flagged, refused=("true", "false")))
