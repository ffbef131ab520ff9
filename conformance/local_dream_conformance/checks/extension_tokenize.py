"""Checks of the group extension-tokenize: how many tokens a prompt has, and from where on it is too long."""

from __future__ import annotations

from itertools import pairwise

from local_dream_conformance.checks.assertions import expect_status, expect_there, present
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence import envelope
from local_dream_conformance.evidence.extensions import TokenCount, token_count
from local_dream_conformance.evidence.selectors import fields, outcome, value

COUNTED = ("tokenize/short", "tokenize/empty", "tokenize/longer", "tokenize/beyond")
ERROR = "tokenize_error"
NO_LIMIT = 0
"""A max_length that says that there is none."""
MANY = 3
"""So many times as many words have more tokens, whatever the tokenizer."""


@check("EXT-TOK-01", needs=["tokenize"], requires=[])
def there(context: Context) -> None:
    asked = context["tokenize/short"]
    count = token_count(asked).count
    found = f"count {count}" if count is not None else outcome(asked)
    expect_there(context, "tokenize", count is not None, f"POST /tokenize is answered with {found}", asked)


@check("EXT-TOK-02", needs=["tokenize"], requires=["EXT-TOK-01"])
def counts(context: Context) -> None:
    for exchange in present(context, *COUNTED):
        found = token_count(exchange)
        if not context.expect(
            not found.problem and exchange.media_type == "application/json",
            expected="status 200, application/json and a JSON object",
            got=(found.problem and outcome(exchange)) or f"media type {escape(exchange.media_type, 60) or 'missing'}",
            exchange=exchange,
        ):
            continue
        for name, number, least in (("count", found.count, 0), ("max_length", found.max_length, 0)):
            context.expect(
                number is not None and number >= least,
                expected=f"an integer {name} of at least {least}",
                got="none" if number is None else value(number),
                exchange=exchange,
            )


def _whole(context: Context, *labels: str) -> list[tuple[Exchange, TokenCount, int, int]]:
    """The answers with both numbers, which come last. Raises MissingEvidence where there is none."""
    found = []
    for exchange in present(context, *labels):
        counted = token_count(exchange)
        if counted.count is not None and counted.max_length is not None:
            found.append((exchange, counted, counted.count, counted.max_length))
    if not found:
        raise MissingEvidence("no answer of /tokenize has both numbers")
    return found


@check("EXT-TOK-03", needs=["tokenize"], requires=["EXT-TOK-02"])
def more_words_count_more(context: Context) -> None:
    by_words = sorted(_whole(context, *COUNTED), key=lambda one: _words(one[0]))
    for (before, _, fewer, most), (exchange, _, count, limit) in pairwise(by_words):
        few, many = _words(before), _words(exchange)
        least = fewer + 1 if many > few and many >= MANY * few else fewer
        context.expect(
            count >= least and limit == most,
            expected=f"a count of at least {least}, since {few} words have {fewer} tokens, and max_length {most}",
            got=f"count {count}, max_length {limit}, for {many} words",
            exchange=exchange,
        )
    exchange, _, most, limit = by_words[-1]
    context.expect(
        most != limit,
        expected="a count that is not max_length, where so many words are far beyond it",
        got=f"count {most}",
        exchange=exchange,
        cause="the count stops at max_length: clients cannot say by how much a prompt is too long?",
    )


def _words(exchange: Exchange) -> int:
    """How many words the prompt of a request has."""
    return len(str(fields(exchange.request).get("prompt")).split())


@check("EXT-TOK-04", needs=["tokenize"], requires=["EXT-TOK-03"])
def says_where_it_is_too_long(context: Context) -> None:
    counted = _whole(context, *COUNTED)
    if not any(found.has_offset for _, found, _, _ in counted):
        context.not_applicable("no overflow_offset in the answers of /tokenize")
    for exchange, found, count, limit in counted:
        if not found.has_offset:
            continue
        units = len(str(fields(exchange.request).get("prompt")).encode("utf-16-le")) // 2
        offset = found.overflow_offset
        fits = count <= limit or limit == NO_LIMIT
        context.expect(
            offset is not None and (offset == -1 if fits else 0 <= offset < units),
            expected="overflow_offset -1, since all fits" if fits else f"overflow_offset within 0..{units - 1}",
            got=value(offset),
            exchange=exchange,
        )
    if "tokenize/cut" not in context or "tokenize/cut-later" not in context:
        return
    for exchange, _, count, limit in _whole(context, "tokenize/cut", "tokenize/cut-later"):
        cut = exchange.label == "tokenize/cut"
        context.expect(
            count <= limit if cut else count > limit,
            expected=f"at most {limit} tokens before overflow_offset" if cut else f"more than {limit} one word later",
            got=f"count {count}",
            exchange=exchange,
            cause="overflow_offset counts bytes?"
            if cut
            else "overflow_offset counts characters, not UTF-16 code units?",
        )


@check("EXT-TOK-05", needs=["tokenize"], requires=["EXT-TOK-01"])
def refuses_what_is_no_prompt(context: Context) -> None:
    for exchange in present(context, "tokenize/json-malformed", "tokenize/prompt-number"):
        refused = expect_status(context, exchange, 400, what=exchange.label.partition("/")[2])
        if refused and not envelope.unknown(exchange):
            problem = envelope.problem(exchange)
            kind = envelope.kind(exchange)
            context.expect(
                not problem and kind == ERROR and exchange.media_type == "application/json",
                expected=f"application/json and the error envelope with type {ERROR}",
                got=problem or f"type {value(kind)}, media type {escape(exchange.media_type, 60)}",
                exchange=exchange,
            )


@check("EXT-TOK-06", needs=["tokenize"], requires=["EXT-TOK-01"])
def refuses_a_missing_prompt(context: Context) -> None:
    expect_status(context, context["tokenize/prompt-missing"], 400, what="a body without prompt")
