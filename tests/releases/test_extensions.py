"""docs/extensions.md says of each release what its recorded answers show, and the personalities have the same."""

from __future__ import annotations

import pytest

from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.server.extensions.catalogue import NAMES
from tests.releases.alike import cases
from tests.releases.extensions import PAGE, RELEASES, ROWS, by_release, written
from tests.releases.test_known import RELEASES as PLAYED

MODES = ("busy", "upscaler-only")
NOT_ALWAYS = (*MODES, "control")
"""Extensions that the mock has only where it is told so."""


def test_every_extension_has_its_row() -> None:
    assert {row.name for row in ROWS} == {*NAMES, *NOT_ALWAYS}


def test_the_table_is_as_the_data_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page)


@pytest.mark.parametrize("release", RELEASES)
def test_the_recorded_answers_show_it(release: str) -> None:
    recorded = {case.name: case.answer for case in cases() if case.release == release}
    shown = {name: cell for name, cell in by_release()[release].items() if cell.by in recorded}
    assert {name for name, cell in shown.items() if not cell.shows(recorded[cell.by])} == set()
    assert {"cors", "size", "tokenize"} <= shown.keys()


@pytest.mark.parametrize(("name", "release"), PLAYED.items())
def test_the_personalities_have_what_the_table_says(name: str, release: str) -> None:
    lacks = {name for name, cell in by_release()[release].items() if not cell.has and name not in MODES}
    assert lacks == set(personalities()[name].without)
