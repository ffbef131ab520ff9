"""Mutants that a tool made: what is drawn, and what the page says of them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from local_dream_conformance.core.contract import load
from tests.examples.servers import EXAMPLES
from tests.mutants import mechanical_page
from tests.mutants.draw import Change, entry_of, texts_of
from tests.mutants.mutant import DEAD, GAP, LEGAL, SAME, UNREAD, Mutant, mechanical
from tests.mutants.program import DoesNotCompile, program
from tests.mutants.trial import Outcome, Trial

FASTAPI = EXAMPLES["fastapi"]


def made(**changes: object) -> Mutant:
    fields = {"name": "go/one", "server": "go", "search": "a < b", "replace": "a > b", "breaks": UNREAD, "at": "a < b"}
    return Mutant(**{**fields, **changes})  # type: ignore[arg-type]  # what a test changes has the field's type


def test_what_was_read_has_its_reading() -> None:
    known = {requirement.id for requirement in load().requirements}
    for mutant in mechanical().values():
        if isinstance(mutant.breaks, str):
            assert mutant.breaks in (LEGAL, GAP, SAME, DEAD, UNREAD), mutant.name
        else:
            assert mutant.breaks <= known, mutant.name
        assert bool(mutant.why) == (mutant.breaks not in (UNREAD, DEAD)), mutant.name


@pytest.mark.parametrize(
    ("text", "same"),
    [("x = 1\n", True), ("\n\nx = 1  # one\n", True), ("x = 2\n", False)],
)
def test_one_program_is_one_whatever_its_lines(text: str, same: bool, tmp_path: Path) -> None:
    whole = program(FASTAPI, tmp_path, "server.py", "x = 1\n")
    assert (program(FASTAPI, tmp_path, "server.py", text) == whole) is same


def test_what_does_not_compile_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(DoesNotCompile):
        program(FASTAPI, tmp_path, "server.py", "x = (\n")


def test_an_entry_finds_its_place_again() -> None:
    text = texts_of(FASTAPI)["server.py"]
    line = "    height: int = Field(default=512, ge=8, le=LARGEST_SIDE, multiple_of=8)\n"
    changed = text.replace(line, line + "    break;\n")
    entry = entry_of("one", 2, line.strip(), Change("server.py", 1, "universal.rules", changed), FASTAPI)
    fields = tomllib.loads(entry)["one"]
    assert fields.pop("round") == 2
    del fields["at"], fields["rules"]
    one = Mutant("fastapi/one", "fastapi", breaks=UNREAD, **fields)
    one.check_fit()
    assert one.change("server.py", text) == changed


def test_the_page_counts_what_is_wrong_alone() -> None:
    kinds = {"told": UNREAD, "dead": DEAD, "same": SAME, "missed": frozenset({"A"}), "gap": GAP}
    outcomes = (Outcome.CAUGHT, Outcome.DEAD, Outcome.SAME, Outcome.MISSED, Outcome.GAP)
    all_of_them = {f"go/{name}": made(name=f"go/{name}", breaks=kind) for name, kind in kinds.items()}
    trials = {name: Trial(name, came) for name, came in zip(all_of_them, outcomes, strict=True)}
    text = mechanical_page.markdown(all_of_them, trials)
    assert "| go | 5 | 1 | 1 | 0 | 3 |" in text
    assert "| go | 1 of 3 (33%) | 1 of 2 (50%) | 1 of 1 (100%) | 1 of 1 (100%) |" in text
    assert "| `told` |" not in text
    assert "| `missed` | `a < b` | `a < b` → `a > b` | A | missed | missed |  |  |" in text


def test_each_drawing_has_its_own_first_sight() -> None:
    both = {name: made(name=name, round=number) for number, name in enumerate(("go/one", "go/two"), 1)}
    trials = {"go/one": Trial("go/one", Outcome.CAUGHT), "go/two": Trial("go/two", Outcome.UNREAD)}
    _, first, second = mechanical_page.markdown(both, trials).split("## At first sight")
    assert "| go | 1 of 1 (100%) |" in first
    assert "| go | 0 of 1 (0%) |" in second


def test_the_page_tells_then_from_now() -> None:
    one = made(breaks=frozenset({"A"}), first="missed", why="It is told since.")
    text = mechanical_page.markdown(
        {one.name: one}, {one.name: Trial(one.name, Outcome.CAUGHT, ("A", "B", "C", "D", "E"))}
    )
    then, now = text.split("## Now")
    assert "| go | 0 of 1 (0%) |" in then
    assert "| go | 1 of 1 (100%) |" in now
    assert "| A | missed | caught | A, B, C, D and 1 more | It is told since. |" in now


@pytest.mark.parametrize(
    ("search", "replace", "shown"),
    [
        ("if x == 1 || y:\n", "if x == 1 && y:\n", r"`1 \|\| y:` → `1 && y:`"),
        ("go(on)\n", "go(on)\nbreak;\n", "nothing → `break;`"),
        ("first()\nlast()\n", "first()\n", "`last()` → nothing"),
    ],
)
def test_a_change_is_shown_with_the_words_around_it(search: str, replace: str, shown: str) -> None:
    assert mechanical_page.change(made(search=search, replace=replace)) == shown
