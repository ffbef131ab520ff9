"""Faults and quirks of the extension tokenize: what a count says, and what cannot be counted."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

from local_dream_mockserver.faults.effects import responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import sent
from local_dream_mockserver.faults.middleware import Reply
from local_dream_mockserver.server.errors import APIError, Code

Count: TypeAlias = dict[str, Any]
"""`count`, `max_length` and `overflow_offset`."""
MISSING = (Code.MISSING,)
NOTHING = Reply.of_json(200, {"count": 2, "max_length": 77, "overflow_offset": -1})
"""The count of an empty prompt."""

answered = partial(responses.rewrite, on=("/tokenize",), methods=("POST",), extensions=("tokenize",))
counted = partial(responses.document, on=("/tokenize",), methods=("POST",), extensions=("tokenize",))


# What a count is

several(answered, statuses=(200, 400))(
    "tokenize-404 (EXT-TOK-01): There is no /tokenize.",
    lambda: Reply.of_error(404, "no such path"),
)
several(answered, statuses=(200,))(
    "tokenize-as-page (EXT-TOK-02): Counts of /tokenize say that they are text/html.",
    lambda reply: Reply.of(200, "text/html", reply.body, *reply.without(b"content-type").headers),
    "empty-prompt-uncounted (EXT-TOK-02): An empty prompt is refused by /tokenize.",
    lambda reply, problem, body: Reply.of_error(400, "prompt: empty") if sent(body)["prompt"] == "" else reply,
)
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
)


# Where a prompt grows too long


def before_overflow(count: Count, prompt: str) -> str:
    """The part of the prompt that still fits, all of it where nothing is too long."""
    offset = count["overflow_offset"]
    return prompt if offset < 0 else prompt.encode("utf-16-le")[: 2 * offset].decode("utf-16-le")


def with_overflow(count: Count, offset: int) -> Count:
    """The count with another offset, if the prompt is too long."""
    return count if count["overflow_offset"] < 0 else {**count, "overflow_offset": offset}


several(counted)(
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


# What cannot be counted


def is_missing(problem: APIError) -> bool:
    """Whether a refusal says that there is no prompt, which has requirements of its own."""
    return problem.code is Code.MISSING


several(answered)(
    "tokenize-error-of-another-type (EXT-TOK-05): Refusals of /tokenize are of type request_error.",
    lambda reply, problem: reply if is_missing(problem) else Reply.of_error(400, problem.message),
    "tokenize-refuses-with-500 (EXT-TOK-05): What /tokenize cannot read is answered with status 500.",
    lambda reply, problem: reply if is_missing(problem) else Reply.of_error(500, "json.exception"),
    "any-prompt-counted (EXT-TOK-05): A prompt that is not a string, and a body that is not JSON, are counted as an"
    " empty prompt.",
    lambda reply, problem: reply if is_missing(problem) else NOTHING,
)
several(answered, codes=MISSING)(
    "missing-prompt-counted (EXT-TOK-06): A missing prompt is counted as an empty one.",
    lambda: NOTHING,
    "missing-prompt-500 (EXT-TOK-06): A missing prompt is answered by /tokenize with status 500.",
    lambda: Reply.of_error(500, "json.exception"),
)
