"""Faults and quirks of the extensions that are paths of their own, or change those of the core: tokenize with
prompt_weights, upscaler-only and cors."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from starlette.types import Scope

from local_dream_mockserver.faults.effects import requests, responses
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.requests import sent
from local_dream_mockserver.faults.effects.responses import having, lacking
from local_dream_mockserver.faults.middleware import Headers, Reply, value_of, without
from local_dream_mockserver.server.errors import Code
from local_dream_mockserver.server.prompt_weights import without_weights

Count: TypeAlias = dict[str, Any]
"""`count`, `max_length` and `overflow_offset`."""
OK = (200,)
UNREADABLE = tuple({*Code} - {Code.MISSING})
"""Why a prompt cannot be counted; where there is none, that has requirements of its own."""
WITH_WEIGHTS = ("prompt_weights", "tokenize")
GROUP = re.compile(r"\((.*):([0-9.]+)\)")
NOTHING = Reply.of_json(200, {"count": 2, "max_length": 77, "overflow_offset": -1})
"""The count of an empty prompt."""

answered = partial(responses.rewrite, on=("/tokenize",), methods=("POST",), extensions=("tokenize",))
counted = partial(responses.document, on=("/tokenize",), methods=("POST",), extensions=("tokenize",))


# tokenize


def before_overflow(count: Count, prompt: str) -> str:
    """The part of the prompt that still fits, all of it where nothing is too long."""
    offset = count["overflow_offset"]
    return prompt if offset < 0 else prompt.encode("utf-16-le")[: 2 * offset].decode("utf-16-le")


def with_overflow(count: Count, offset: int) -> Count:
    """The count with another offset, if the prompt is too long."""
    return count if count["overflow_offset"] < 0 else {**count, "overflow_offset": offset}


several(counted)(
    "max-length-as-text (EXT-TOK-02): The max_length of /tokenize is a text of digits.",
    lambda count: {**count, "max_length": str(count["max_length"])},
    "max-length-negative (EXT-TOK-02): The max_length of /tokenize is -1.",
    lambda count: {**count, "max_length": -1},
    "max-length-zero (EXT-TOK-04): The max_length of /tokenize is 0, no limit, and overflow_offset says where one is.",
    lambda count: {**count, "max_length": 0},
    "count-stops-at-max-length (EXT-TOK-03): The count of /tokenize is never greater than max_length.",
    lambda count: {**count, "count": min(count["count"], count["max_length"])},
    "count-of-different-words (EXT-TOK-03): A word that comes again in a prompt is not counted by /tokenize.",
    lambda count, asked: {**count, "count": len(set(asked["prompt"].split())) + 2},
    "max-length-grows (EXT-TOK-03): The max_length of /tokenize grows with the prompt.",
    lambda count: {**count, "max_length": max(77, -(-count["count"] // 77) * 77)},
    "tokens-without-limit (quirk): The max_length of /tokenize is 0, no limit, and the overflow_offset of every prompt"
    " is -1.",
    lambda count: {**count, "max_length": 0, "overflow_offset": -1},
    "tokenize-in-decimals (quirk): The numbers of /tokenize are written as 12.0, beside further keys.",
    lambda count: {**{name: float(value) for name, value in count.items()}, "tokenizer": "clip", "tokens": []},
    "overflow-in-bytes (EXT-TOK-04): The overflow_offset counts bytes of UTF-8.",
    lambda count, asked: with_overflow(count, len(before_overflow(count, asked["prompt"]).encode())),
    "overflow-in-characters (EXT-TOK-04): The overflow_offset counts characters.",
    lambda count, asked: with_overflow(count, len(before_overflow(count, asked["prompt"]))),
    "overflow-never (EXT-TOK-04): The overflow_offset is -1 for every prompt.",
    lambda count: {**count, "overflow_offset": -1},
    "overflow-null (EXT-TOK-04): The overflow_offset is null where all fits.",
    lambda count: count if count["overflow_offset"] >= 0 else {**count, "overflow_offset": None},
    "tokenize-without-overflow (quirk): Counts of /tokenize have no overflow_offset.",
    lambda count: {name: value for name, value in count.items() if name != "overflow_offset"},
)
several(counted, "EXT-WGT-02", extensions=WITH_WEIGHTS)(
    "weights-are-tokens: Brackets and weights are tokens to /tokenize, and none to the picture.",
    lambda count, asked: {**count, "count": count["count"] + len(re.findall(r"[()\[\]:]", asked["prompt"]))},
    "square-brackets-are-tokens: Square brackets are tokens to /tokenize, and none to the picture.",
    lambda count, asked: {**count, "count": count["count"] + len(re.findall(r"[\[\]]", asked["prompt"]))},
)
several(answered)(
    "tokenize-404 (EXT-TOK-01): There is no /tokenize.",
    where(lambda: Reply.of_error(404, "no such path"), statuses=(200, 400)),
    "tokenize-as-page (EXT-TOK-02): Counts of /tokenize say that they are text/html.",
    where(lambda reply: Reply.of(200, "text/html", reply.body, *reply.without(b"content-type").headers), statuses=OK),
    "empty-prompt-uncounted (EXT-TOK-02): An empty prompt is refused by /tokenize.",
    where(
        lambda reply, problem, body: Reply.of_error(400, "prompt: empty") if sent(body)["prompt"] == "" else reply,
        statuses=OK,
    ),
    "tokenize-error-of-another-type (EXT-TOK-05): Refusals of /tokenize are of type request_error.",
    where(lambda reply, problem: Reply.of_error(400, problem.message), codes=UNREADABLE),
    "tokenize-refuses-with-500 (EXT-TOK-05): What /tokenize cannot read is answered with status 500.",
    where(lambda: Reply.of_error(500, "json.exception"), codes=UNREADABLE),
    "any-prompt-counted (EXT-TOK-05): A prompt that is not a string, and a body that is not JSON, are counted as an"
    " empty prompt.",
    where(lambda: NOTHING, codes=UNREADABLE),
    "missing-prompt-counted (EXT-TOK-06): A missing prompt is counted as an empty one.",
    where(lambda: NOTHING, codes=(Code.MISSING,)),
    "missing-prompt-500 (EXT-TOK-06): A missing prompt is answered by /tokenize with status 500.",
    where(lambda: Reply.of_error(500, "json.exception"), codes=(Code.MISSING,)),
)


# prompt_weights


def weighted(values: Count, least: float, most: float) -> Count:
    """The request with its weights brought into a range."""

    def ranged(group: re.Match[str]) -> str:
        return f"({group[1]}:{min(most, max(least, float(group[2])))})"

    return {**values, "prompt": GROUP.sub(ranged, values["prompt"])} if "prompt" in values else values


several(requests.values)(
    "weights-ignored (EXT-WGT-03): Weights are taken off prompts, and change nothing.",
    lambda values: {**values, "prompt": without_weights(str(values.get("prompt", ""))).text},
    "weights-only-lower (EXT-WGT-03): Weights beyond 1 are 1.",
    lambda values: weighted(values, 0.0, 1.0),
    "weight-one-is-more (EXT-WGT-04): Weights are at least 1.2.",
    where(lambda values: weighted(values, 1.2, 9.0), extensions=WITH_WEIGHTS),
)


# upscaler-only, and the same for pages


def not_there(scope: Scope) -> Reply:
    """The answer where a path is not there; pages of other origins may read it, unless they ask before."""
    origins = () if scope["method"] == "OPTIONS" else ((b"access-control-allow-origin", b"*"),)
    return Reply.of_error(404, f"there is no {scope['path']}", *origins)


def no_generate(status: int) -> Callable[[Scope], Reply]:
    """The answer of this status to POST, and 404 to all other methods."""
    return lambda scope: Reply.of_error(status if scope["method"] == "POST" else 404, "there is no /generate")


several(responses.instead)(
    "no-generate-405 (EXT-UPO-02): There is no /generate, and POST to it is answered with status 405.",
    where(no_generate(405), on=("/generate",)),
    "no-generate-501 (EXT-UPO-02): There is no /generate, and POST to it is answered with status 501.",
    where(no_generate(501), on=("/generate",)),
    "neither-generate-nor-upscale (EXT-UPO-01): There is neither /generate nor /upscale.",
    where(not_there, on=("/generate", "/upscale")),
    "pages-without-upscale (quirk): There is no /upscale, nor a preflight of it.",
    where(not_there, on=("/upscale",), extensions=("cors",)),
    "pages-without-generate (quirk): There is no /generate, nor a preflight of it.",
    where(not_there, on=("/generate",), extensions=("cors", "upscaler-only")),
)


CORS = ("cors",)
PREFLIGHT = ("OPTIONS",)
OTHERS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""The methods whose answers are no preflights."""
GENERATE, UPSCALE = ("/generate",), ("/upscale",)
ORIGIN, ALLOWED = b"access-control-allow-origin", b"access-control-allow-headers"
EXPOSED, AGE = b"access-control-expose-headers", b"access-control-max-age"
ELSEWHERE = b"https://elsewhere.example"
SENT = b"x-use-opencl,x-upscaler-path ,  X-IMAGE-WIDTH,x-image-height,content-type"
SEEN = b"x-duration-ms, X-OUTPUT-WIDTH,x-output-height"

refused = partial(responses.instead, methods=PREFLIGHT)
preflight = partial(responses.headers, everywhere=True, methods=PREFLIGHT)
answer = partial(responses.headers, everywhere=True, methods=OTHERS)
any_answer = partial(responses.headers, everywhere=True, extensions=CORS, quirk=True)


# Preflights

several(refused)(
    "preflights-405 (EXT-COR-01): Preflights are answered with status 405; other answers are for all origins.",
    lambda: Reply.of_error(405, "no method OPTIONS", (b"allow", b"POST")),
    "preflight-wants-credentials (EXT-COR-02, EXT-COR-03): The preflight of /generate is answered with status 401,"
    " since it has no credentials.",
    where(lambda: Reply.of_error(401, "who are you?", (b"www-authenticate", b"Bearer"), (ORIGIN, b"*")), on=GENERATE),
    "preflight-of-upscale-404 (EXT-COR-02, EXT-COR-04): The preflight of /upscale is answered with status 404.",
    where(lambda: Reply.of_error(404, "no such path"), on=UPSCALE),
)
several(preflight)(
    "preflight-for-another-origin (EXT-COR-02): The preflight of /upscale lets another origin in.",
    where(having(ORIGIN, ELSEWHERE), on=UPSCALE),
    "content-type-not-allowed (EXT-COR-03): The preflight of /generate does not allow Content-Type.",
    where(having(ALLOWED, b"X-Requested-With"), on=GENERATE),
    "use-opencl-not-allowed (EXT-COR-04): Preflights do not allow X-Use-OpenCL.",
    having(ALLOWED, b"Content-Type, X-Image-Width, X-Image-Height, X-Upscaler-Path"),
    "allowed-headers-missing (EXT-COR-03, EXT-COR-04): Preflights come without Access-Control-Allow-Headers.",
    lacking(ALLOWED),
    "only-content-type-allowed (EXT-COR-04): Preflights allow Content-Type alone.",
    having(ALLOWED, b"Content-Type"),
    "max-age-missing (EXT-COR-07): Preflights come without Access-Control-Max-Age.",
    lacking(AGE),
    "max-age-in-words (EXT-COR-07): Preflights are good for a day, in words.",
    having(AGE, b"1 day"),
)
several(responses.rewrite, methods=PREFLIGHT, statuses=(204,), extensions=CORS)(
    "preflights-with-200 (quirk): Preflights are answered with status 200 and a body.",
    lambda reply: Reply.of(200, "text/plain", b"OK", *reply.headers),
)


# Other answers

several(answer)(
    "streams-for-no-origin (EXT-COR-05): Event streams come without Access-Control-Allow-Origin.",
    where(lacking(ORIGIN), everywhere=False),
    "health-for-no-origin (EXT-COR-05): The answer of /health comes without Access-Control-Allow-Origin.",
    where(lacking(ORIGIN), on=("/health",)),
    "not-found-for-no-origin (EXT-COR-05): Answers with 404 come without Access-Control-Allow-Origin.",
    where(lacking(ORIGIN), statuses=(404,)),
    "errors-for-no-origin (EXT-COR-05): Error answers come without Access-Control-Allow-Origin.",
    lambda status, headers: (status, without(headers, ORIGIN) if status >= 400 else headers),
    "answers-for-another-origin (EXT-COR-05): All answers but those to preflights let another origin in.",
    having(ORIGIN, ELSEWHERE),
    "answers-for-the-origin-twice (EXT-COR-05): All answers but those to preflights have Access-Control-Allow-Origin"
    " twice.",
    lambda status, headers: (status, (*headers, (ORIGIN, b"*")) if value_of(headers, ORIGIN) else headers),
    "nothing-exposed (EXT-COR-06): Answers of /upscale come without Access-Control-Expose-Headers.",
    where(lacking(EXPOSED), on=UPSCALE),
    "sizes-not-exposed (EXT-COR-06): Answers of /upscale expose X-Duration-Ms alone.",
    where(having(EXPOSED, b"X-Duration-Ms"), on=UPSCALE),
)
several(any_answer)(
    "cors-headers-listed: The headers that CORS speaks about are listed, in other letters and order.",
    lambda status, headers: having(EXPOSED, SEEN)(*having(ALLOWED, SENT)(status, headers)),
    "cors-exposes-all: Answers expose all headers with a star.",
    having(EXPOSED, b"*"),
)


@any_answer()
def origin_echoed(status: int, headers: Headers, scope: Scope) -> tuple[int, Headers]:
    """The origin of a request is let in by its name, in place of a star."""
    origin = value_of(scope["headers"], b"origin")
    return status, (*without(headers, ORIGIN), (ORIGIN, origin), (b"vary", b"Origin")) if origin else headers
