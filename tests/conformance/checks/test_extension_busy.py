"""The checks of the extension busy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.core.verdict import Verdict
from tests.conformance.checks.extension_verdicts import (
    DECLARED,
    having,
    judged,
)
from tests.conformance.extended_server import ExtendedServer
from tests.conformance.transcripts import answer, generation, refusal, request

BUSY = (("Retry-After", "5"),)


@pytest.mark.parametrize(
    ("after", "broken"),
    [
        ("5", set()),
        ("Wed, 21 Oct 2026 07:28:00 GMT", set()),
        ("", {"EXT-BSY-02"}),
        ("soon", {"EXT-BSY-02"}),
        ("-1", {"EXT-BSY-02"}),
    ],
)
def test_a_busy_server(after: str, broken: set[str]) -> None:
    headers = (("Retry-After", after),) if after else ()
    refused = refusal("overlap/second-busy", 503, to=request(), started=0.2)
    busy = replace(refused, headers=(*refused.headers, *headers))
    judgements = judged(ExtendedServer(), DECLARED, busy)
    assert judgements["EXT-BSY-01"].reason == "overlap/second-busy is answered with status 503"
    assert having(judgements, Verdict.FAIL) == broken
    bare = answer("overlap/second-busy", 503, to=request(), headers=BUSY, started=0.2)
    assert having(judged(ExtendedServer(), DECLARED, bare), Verdict.FAIL) == {"EXT-BSY-03"}


def test_another_refusal_is_not_busy() -> None:
    judgements = judged(ExtendedServer(), DECLARED, refusal("overlap/second-busy", 429, to=request(), started=0.2))
    assert judgements["EXT-BSY-01"].verdict is Verdict.NOT_APPLICABLE
    assert "status 429" in judgements["EXT-BSY-01"].reason


def test_too_quick_to_be_busy() -> None:
    late = generation("overlap/second", started=60.0)
    assert judged(ExtendedServer(), DECLARED, late)["EXT-BSY-01"].verdict is Verdict.UNTESTED
