"""What an exchange says of itself."""

from __future__ import annotations

from dataclasses import replace

from local_dream_conformance.core.exchange import GENERATE, HEALTH, ON_CONTROL, End, Exchange, Request


def test_what_is_known_of_an_exchange_is_not_told_of_one_that_is_made_of_it() -> None:
    health = Request("GET", "/health", (), b"")
    first = Exchange("a", health, 0.0, End.COMPLETE, 0.1, 200, headers=(("Content-Type", "Text/HTML; charset=x"),))
    assert (first.media_type, first.operation) == ("text/html", HEALTH)
    other = replace(first, request=Request("POST", "/p/generate", (), b""), headers=(("content-type", "a/b"),))
    assert (other.media_type, other.operation) == ("a/b", GENERATE)
    assert (replace(first, headers=()).media_type, replace(first, notes=(ON_CONTROL,)).operation) == ("", "")
    assert first == replace(first)
