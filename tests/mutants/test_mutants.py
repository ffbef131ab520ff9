"""The mutants fit their servers; a few of them are judged, and found, as a smoke test of the whole way."""

from __future__ import annotations

import os
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from local_dream_conformance.core.contract import load
from tests.examples.servers import EXAMPLES
from tests.mutants import page
from tests.mutants.__main__ import outcome_of
from tests.mutants.documents import HAND_MADE, MECHANICAL, Documents
from tests.mutants.mutant import GAP, LEGAL, SAME, UNREAD, DoesNotFit, Mutant, mechanical, mutants
from tests.mutants.trial import Outcome, Trial, attempt, outcome

SMOKE = ("fastapi/picture-bgr", "go/no-lock", "go/mask-inverted", "node/seed-in-31-bits")


def made(**changes: object) -> Mutant:
    fields = {"name": "go/one", "server": "go", "does": "", "search": "x", "replace": "y", "breaks": GAP}
    return Mutant(**{**fields, **changes})  # type: ignore[arg-type]  # what a test changes has the field's type


def test_every_change_fits_its_source_once() -> None:
    for mutant in (*mutants().values(), *mechanical().values()):
        mutant.check_fit()


def test_a_change_that_no_longer_fits_is_told() -> None:
    with pytest.raises(DoesNotFit, match="go/one: 0 places have 'nowhere'"):
        made(search="nowhere").check_fit()


def test_what_they_break_is_in_the_contract() -> None:
    known = {requirement.id for requirement in load().requirements}
    for mutant in mutants().values():
        if isinstance(mutant.breaks, str):
            assert mutant.breaks in (LEGAL, GAP), mutant.name
            assert mutant.written in ("", LEGAL, GAP), mutant.name
        else:
            assert mutant.breaks, mutant.name
            assert mutant.breaks <= known, mutant.name


@pytest.mark.parametrize(
    ("breaks", "found", "expected"),
    [
        (frozenset({"A", "B"}), ("B", "C"), Outcome.CAUGHT),
        (frozenset({"A"}), ("C",), Outcome.MISNAMED),
        (frozenset({"A"}), (), Outcome.MISSED),
        (GAP, ("C",), Outcome.CAUGHT),
        (GAP, (), Outcome.GAP),
        (LEGAL, (), Outcome.LEGAL),
        (LEGAL, ("C",), Outcome.FALSE_ALARM),
        (SAME, (), Outcome.SAME),
        (SAME, ("C",), Outcome.FALSE_ALARM),
        (UNREAD, (), Outcome.UNREAD),
        (UNREAD, ("C",), Outcome.CAUGHT),
    ],
)
def test_outcomes(breaks: frozenset[str] | str, found: tuple[str, ...], expected: Outcome) -> None:
    assert outcome(breaks, found) is expected


def test_the_page_counts_by_server() -> None:
    one = made(does="It fails.", breaks=frozenset({"A"}))
    text = page.markdown({one.name: one}, {one.name: Trial(one.name, Outcome.MISSED)})
    assert "1 of 1 mutants" in text
    assert "| go | 1 | 0 | 0 | 1 |" in text
    assert "| `one` | It fails. | A | **missed** |  |  |" in text
    assert "| mutant | what the server does | breaks | outcome | judged broken | by |" in text


def test_a_round_is_shared_out_then_by_what_was_written() -> None:
    one = made(round=3, breaks=frozenset({"A"}), written=LEGAL, first="false alarm")
    text = page.markdown({one.name: one}, {one.name: Trial(one.name, Outcome.CAUGHT)})
    assert "| told, of all that are wrong | none | 1 of 1 (100%) |" in text
    assert "| legal, and left alone | 0 of 1 (0%) | none |" in text


def test_the_page_says_why_what_is_not_caught_stays_so() -> None:
    one = made(why="It is like that.")
    said = "- `go/one`: It is like that."
    assert said in page.markdown({one.name: one}, {one.name: Trial(one.name, Outcome.GAP)})
    assert "Why these stay" not in page.markdown({one.name: one}, {one.name: Trial(one.name, Outcome.CAUGHT)})


def test_each_round_of_unseen_mutants_has_its_own_shares() -> None:
    late = made(name="go/late", round=3, breaks=frozenset({"A"}))
    early = made(name="go/early", round=2, breaks=frozenset({"A"}), first="missed")
    both = {one.name: one for one in (late, early)}
    text = page.markdown(both, {name: Trial(name, Outcome.CAUGHT) for name in both})
    second, third = text.index("round 2: 1 mutants"), text.index("round 3: 1 mutants")
    assert "told, of all that are wrong | 0 of 1 (0%) | 1 of 1 (100%)" in text[second:third]
    assert "told, of all that are wrong | 1 of 1 (100%) | 1 of 1 (100%)" in text[third:]


def test_what_has_a_reason_is_not_caught() -> None:
    tried = HAND_MADE.earlier()
    assert {tried[name].outcome for name, one in mutants().items() if one.why} <= set(page.OPEN)


def test_results_are_kept_one_by_one(tmp_path: Path) -> None:
    one, other = made(), made(name="go/other")
    both = {one.name: one, other.name: other}
    documents = Documents("mutants", lambda: both, page.markdown, tmp_path)
    documents.keep(Trial(other.name, Outcome.GAP, (), "all", "conformant"))
    documents.keep(Trial(one.name, Outcome.CAUGHT, ("A",), "core", "not conformant"))
    kept = documents.earlier()
    assert {name: trial.outcome for name, trial in kept.items()} == {one.name: Outcome.CAUGHT, other.name: Outcome.GAP}
    assert kept[one.name].found == ("A",)
    assert "2 of 2 mutants" in (tmp_path / "mutants.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("documents", [HAND_MADE, MECHANICAL], ids=lambda documents: documents.name)
def test_the_documents_are_those_of_the_catalogue(documents: Documents, tmp_path: Path) -> None:
    """Where the catalogue says something else of a mutant since: `python -m tests.mutants --write`."""
    Documents(documents.name, documents.catalogue, documents.page, tmp_path).write(documents.earlier())
    for written in tmp_path.iterdir():
        assert written.read_bytes() == (documents.docs / written.name).read_bytes()


def test_a_process_that_dies_costs_its_own_trial_alone() -> None:
    lost: Future[Trial] = Future()
    lost.set_exception(MemoryError("no room"))
    trial = outcome_of(lost, made())
    assert (trial.outcome, trial.problem) == (Outcome.BROKEN, "MemoryError: no room")


@pytest.mark.parametrize("name", SMOKE)
def test_the_suite_judges_a_mutant(name: str) -> None:
    mutant = mutants()[name]
    if missing := EXAMPLES[mutant.server].missing():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs {missing}")
        pytest.skip(f"needs {missing}")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        trial = pool.submit(attempt, mutant).result()
    wanted = {LEGAL: Outcome.LEGAL}.get(str(mutant.breaks), Outcome.CAUGHT)
    assert trial.outcome is (Outcome.GAP if mutant.breaks == GAP else wanted), trial
