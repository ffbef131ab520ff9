"""Faults and quirks of the extension tokenize: counts that are wrong, and refusals that are."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

from local_dream_mockserver.faults.effects import responses
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


@answered("EXT-TOK-01", statuses=(200, 400))
def tokenize_404() -> Reply:
    """There is no /tokenize."""
    return Reply.of_error(404, "no such path")


@answered("EXT-TOK-02", statuses=(200,))
def tokenize_as_page(reply: Reply) -> Reply:
    """Counts of /tokenize say that they are text/html."""
    return Reply.of(200, "text/html", reply.body, *reply.without(b"content-type").headers)


@counted("EXT-TOK-02")
def max_length_as_text(count: Count) -> Count:
    """The max_length of /tokenize is a text of digits."""
    return {**count, "max_length": str(count["max_length"])}


@counted("EXT-TOK-02")
def max_length_zero(count: Count) -> Count:
    """The max_length of /tokenize is 0."""
    return {**count, "max_length": 0}


@answered("EXT-TOK-02", statuses=(200,))
def empty_prompt_uncounted(reply: Reply, problem: None, body: bytes) -> Reply:
    """An empty prompt is refused by /tokenize."""
    return Reply.of_error(400, "prompt: empty") if sent(body)["prompt"] == "" else reply


@counted("EXT-TOK-03")
def count_stops_at_max_length(count: Count) -> Count:
    """The count of /tokenize is never greater than max_length."""
    return {**count, "count": min(count["count"], count["max_length"])}


@counted("EXT-TOK-03")
def count_of_different_words(count: Count, asked: dict[str, str]) -> Count:
    """A word that comes again in a prompt is not counted by /tokenize."""
    return {**count, "count": len(set(asked["prompt"].split())) + 2}


@counted("EXT-TOK-03")
def max_length_grows(count: Count) -> Count:
    """The max_length of /tokenize grows with the prompt."""
    return {**count, "max_length": max(77, -(-count["count"] // 77) * 77)}


@counted(quirk=True)
def tokenize_in_decimals(count: Count) -> Count:
    """The numbers of /tokenize are written as 12.0, beside further keys."""
    return {**{name: float(value) for name, value in count.items()}, "tokenizer": "clip", "tokens": []}


# Where a prompt grows too long


def before_overflow(count: Count, prompt: str) -> str:
    """The part of the prompt that still fits, all of it where nothing is too long."""
    offset = count["overflow_offset"]
    return prompt if offset < 0 else prompt.encode("utf-16-le")[: 2 * offset].decode("utf-16-le")


def with_overflow(count: Count, offset: int) -> Count:
    """The count with another offset, if the prompt is too long."""
    return count if count["overflow_offset"] < 0 else {**count, "overflow_offset": offset}


@counted("EXT-TOK-04")
def overflow_in_bytes(count: Count, asked: dict[str, str]) -> Count:
    """The overflow_offset counts bytes of UTF-8."""
    return with_overflow(count, len(before_overflow(count, asked["prompt"]).encode()))


@counted("EXT-TOK-04")
def overflow_in_characters(count: Count, asked: dict[str, str]) -> Count:
    """The overflow_offset counts characters."""
    return with_overflow(count, len(before_overflow(count, asked["prompt"])))


@counted("EXT-TOK-04")
def overflow_never(count: Count) -> Count:
    """The overflow_offset is -1 for every prompt."""
    return {**count, "overflow_offset": -1}


@counted("EXT-TOK-04")
def overflow_null(count: Count) -> Count:
    """The overflow_offset is null where all fits."""
    return count if count["overflow_offset"] >= 0 else {**count, "overflow_offset": None}


@counted(quirk=True)
def tokenize_without_overflow(count: Count) -> Count:
    """Counts of /tokenize have no overflow_offset."""
    return {name: value for name, value in count.items() if name != "overflow_offset"}


# What cannot be counted


def is_missing(problem: APIError) -> bool:
    """Whether a refusal says that there is no prompt, which has requirements of its own."""
    return problem.code is Code.MISSING


@answered("EXT-TOK-05")
def tokenize_error_of_another_type(reply: Reply, problem: APIError) -> Reply:
    """Refusals of /tokenize are of type request_error."""
    return reply if is_missing(problem) else Reply.of_error(400, problem.message)


@answered("EXT-TOK-05")
def tokenize_refuses_with_500(reply: Reply, problem: APIError) -> Reply:
    """What /tokenize cannot read is answered with status 500."""
    return reply if is_missing(problem) else Reply.of_error(500, "json.exception")


@answered("EXT-TOK-05")
def any_prompt_counted(reply: Reply, problem: APIError) -> Reply:
    """A prompt that is not a string, and a body that is not JSON, are counted as an empty prompt."""
    return reply if is_missing(problem) else NOTHING


@answered("EXT-TOK-06", codes=MISSING)
def missing_prompt_counted() -> Reply:
    """A missing prompt is counted as an empty one."""
    return NOTHING


@answered("EXT-TOK-06", codes=MISSING)
def missing_prompt_500() -> Reply:
    """A missing prompt is answered by /tokenize with status 500."""
    return Reply.of_error(500, "json.exception")
