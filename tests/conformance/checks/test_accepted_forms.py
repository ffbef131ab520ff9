"""Forms of which one cannot be sent without another: what fails with either is named as that one alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run import suite
from local_dream_conformance.scenarios.forms import FORMS, NOTE, PARTS
from tests.conformance.transcripts import complete, judge, picture, progress, refusal, request, stream, words

suite.load()
LABEL = "chain/no-mask"
BASE = stream("base", [progress(1, 1), complete(picture(16, 8))])


def asked(label: str, *forms: str, taken: bool) -> Exchange:
    """A request in these forms."""
    events = [progress(1, 1), complete(picture(16, 8))]
    made = stream(label, events) if taken else refusal(label, 400, to=request())
    return replace(made, notes=((NOTE, " ".join(forms)),) if forms else ())


def narrowed(*refused: str) -> list[Exchange]:
    """A generation that was refused in all its forms, and in some of them alone; and without any it was taken."""
    forms = ("chunked", "json-raw", "chunk-torn")
    alone = [asked(f"{LABEL}-forms-{n}", form, taken=form not in refused) for n, form in enumerate(forms, 1)]
    return [BASE, asked(f"{LABEL}-forms-0", *forms, taken=False), *alone, asked(LABEL, taken=True)]


def test_a_torn_chunk_is_named_where_its_parts_are_taken() -> None:
    judgement = judge("ROB-05", *narrowed("chunk-torn"))
    assert judgement.verdict is Verdict.FAIL
    assert "a chunk that ends within a character" in words(judgement)
    assert judge("GEN-REQ-29", *narrowed("chunk-torn")).verdict is not Verdict.FAIL
    assert judge("GEN-REQ-23", *narrowed("chunk-torn")).verdict is not Verdict.FAIL


@pytest.mark.parametrize(("part", "id"), [("json-raw", "GEN-REQ-29"), ("chunked", "ROB-05")])
def test_a_part_that_is_refused_is_named_alone(part: str, id: str) -> None:
    found = {one: judge(one, *narrowed(part, "chunk-torn")) for one in ("GEN-REQ-29", "ROB-05")}
    assert [one for one, judgement in found.items() if judgement.verdict is Verdict.FAIL] == [id]
    assert "within a character" not in words(found[id])


def test_parts_are_forms() -> None:
    assert {*PARTS, *(part for parts in PARTS.values() for part in parts)} <= FORMS.keys()
