"""Faults of the extension cors: what keeps pages of other origins out, or answers from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from starlette.types import Scope

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.middleware import (
    STREAM,
    Header,
    ReplaceResponse,
    Reply,
    RewriteHeaders,
    value_of,
    without,
)
from local_dream_mockserver.faults.server import refusal
from local_dream_mockserver.proxy.trigger import Trigger

Wanted = Callable[[Scope], bool]
ORIGIN, HEADERS = b"access-control-allow-origin", b"access-control-allow-headers"
EXPOSED, AGE = b"access-control-expose-headers", b"access-control-max-age"
EXTENSIONS = ("cors",)
ELSEWHERE = b"https://elsewhere.example"


def preflight(*paths: str) -> Wanted:
    """Preflights of these paths (none: of all)."""
    return lambda scope: scope["method"] == "OPTIONS" and (not paths or scope["path"] in paths)


def _answer(scope: Scope) -> bool:
    return bool(scope["method"] != "OPTIONS")


def _upscale(scope: Scope) -> bool:
    return _answer(scope) and scope["path"] == "/upscale"


class Answered(ReplaceResponse):
    """Answers certain requests in the application's place."""

    def __init__(self, place: Trigger | None, wanted: Wanted, answer: Reply) -> None:
        super().__init__(place)
        self.wanted = wanted
        self.answer = answer

    def reply(self, scope: Scope) -> Reply | None:
        return self.answer if self.wanted(scope) else None


class OtherHead(RewriteHeaders):
    """Changes the headers of the answers to certain requests, where `concerned` says so by status and headers."""

    def __init__(
        self,
        place: Trigger | None,
        wanted: Wanted,
        change: Callable[[tuple[Header, ...]], tuple[Header, ...]],
        concerned: Callable[[int, bytes], bool] = lambda status, kind: True,
    ) -> None:
        super().__init__(place)
        self.wanted = wanted
        self.change = change
        self.concerned = concerned

    def wants(self, scope: Scope) -> bool:
        return super().wants(scope) and self.wanted(scope)

    def concerns(self, status: int, headers: Sequence[Header]) -> bool:
        return self.concerned(status, value_of(headers, b"content-type"))

    def headed(self, status: int, headers: tuple[Header, ...]) -> tuple[int, tuple[Header, ...]]:
        return status, self.change(headers)


def _set(name: bytes, value: bytes | None) -> Callable[[tuple[Header, ...]], tuple[Header, ...]]:
    """Another value of a header that is there, or (None) the header left out."""

    def changed(headers: tuple[Header, ...]) -> tuple[Header, ...]:
        if not value_of(headers, name):
            return headers
        return without(headers, name) if value is None else (*without(headers, name), (name, value))

    return changed


def _answered(name: str, sentence: str, breaks: tuple[str, ...], wanted: Wanted, answer: Reply) -> None:
    fault(name, sentence, layer=Layer.EXTENSION, breaks=breaks, extensions=EXTENSIONS)(
        partial(Answered, wanted=wanted, answer=answer)
    )


def _headed(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    wanted: Wanted,
    change: Callable[[tuple[Header, ...]], tuple[Header, ...]],
    concerned: Callable[[int, bytes], bool] = lambda status, kind: True,
) -> None:
    fault(name, sentence, layer=Layer.EXTENSION, breaks=breaks, extensions=EXTENSIONS)(
        partial(OtherHead, wanted=wanted, change=change, concerned=concerned)
    )


_answered(
    "preflights-405",
    "Preflights are answered with status 405; other answers are for all origins.",
    ("EXT-COR-01",),
    preflight(),
    refusal(405, "no method OPTIONS", (b"allow", b"POST")),
)
_answered(
    "preflight-wants-credentials",
    "The preflight of /generate is answered with status 401, since it has no credentials.",
    ("EXT-COR-02", "EXT-COR-03"),
    preflight("/generate"),
    refusal(401, "who are you?", (b"www-authenticate", b"Bearer"), (ORIGIN, b"*")),
)
_answered(
    "preflight-of-upscale-404",
    "The preflight of /upscale is answered with status 404.",
    ("EXT-COR-02", "EXT-COR-04"),
    preflight("/upscale"),
    refusal(404, "no such path"),
)
_headed(
    "preflight-for-another-origin",
    "The preflight of /upscale lets another origin in.",
    ("EXT-COR-02",),
    preflight("/upscale"),
    _set(ORIGIN, ELSEWHERE),
)
_headed(
    "content-type-not-allowed",
    "The preflight of /generate does not allow Content-Type.",
    ("EXT-COR-03",),
    preflight("/generate"),
    _set(HEADERS, b"X-Requested-With"),
)
_headed(
    "allowed-headers-missing",
    "Preflights come without Access-Control-Allow-Headers.",
    ("EXT-COR-03", "EXT-COR-04"),
    preflight(),
    _set(HEADERS, None),
)
_headed(
    "only-content-type-allowed",
    "Preflights allow Content-Type alone.",
    ("EXT-COR-04",),
    preflight(),
    _set(HEADERS, b"Content-Type"),
)
_headed(
    "use-opencl-not-allowed",
    "Preflights do not allow X-Use-OpenCL.",
    ("EXT-COR-04",),
    preflight(),
    _set(HEADERS, b"Content-Type, X-Image-Width, X-Image-Height, X-Upscaler-Path"),
)
_headed(
    "errors-for-no-origin",
    "Error answers come without Access-Control-Allow-Origin.",
    ("EXT-COR-05",),
    _answer,
    _set(ORIGIN, None),
    lambda status, kind: status >= 400,
)
_headed(
    "streams-for-no-origin",
    "Event streams come without Access-Control-Allow-Origin.",
    ("EXT-COR-05",),
    _answer,
    _set(ORIGIN, None),
    lambda status, kind: kind.startswith(STREAM),
)
_headed(
    "health-for-no-origin",
    "The answer of /health comes without Access-Control-Allow-Origin.",
    ("EXT-COR-05",),
    lambda scope: _answer(scope) and scope["path"] == "/health",
    _set(ORIGIN, None),
)
_headed(
    "answers-for-another-origin",
    "All answers but those to preflights let another origin in.",
    ("EXT-COR-05",),
    _answer,
    _set(ORIGIN, ELSEWHERE),
)
_headed(
    "answers-for-the-origin-twice",
    "All answers but those to preflights have Access-Control-Allow-Origin twice.",
    ("EXT-COR-05",),
    _answer,
    lambda headers: (*headers, (ORIGIN, b"*")) if value_of(headers, ORIGIN) else headers,
)
_headed(
    "not-found-for-no-origin",
    "Answers with 404 come without Access-Control-Allow-Origin.",
    ("EXT-COR-05",),
    _answer,
    _set(ORIGIN, None),
    lambda status, kind: status == 404,
)
_headed(
    "nothing-exposed",
    "Answers of /upscale come without Access-Control-Expose-Headers.",
    ("EXT-COR-06",),
    _upscale,
    _set(EXPOSED, None),
)
_headed(
    "sizes-not-exposed",
    "Answers of /upscale expose X-Duration-Ms alone.",
    ("EXT-COR-06",),
    _upscale,
    _set(EXPOSED, b"X-Duration-Ms"),
)
_headed(
    "max-age-missing",
    "Preflights come without Access-Control-Max-Age.",
    ("EXT-COR-07",),
    preflight(),
    _set(AGE, None),
)
_headed(
    "max-age-in-words", "Preflights are good for a day, in words.", ("EXT-COR-07",), preflight(), _set(AGE, b"1 day")
)
