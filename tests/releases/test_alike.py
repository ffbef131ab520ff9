"""The personalities answer as the releases did: nearly all recorded requests alike, and the others explained."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.releases.alike import Case, cases, differences, explained, played
from tests.releases.answer import Answer

SHARE = 0.97
RELEASES = ("local-dream-2.4.3", "local-dream-2.7", "local-dream-2.8.1")
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "releases.md"


@cache
def answers() -> tuple[tuple[Case, Answer], ...]:
    return tuple(played(list(cases())))


def different(release: str) -> dict[str, list[str]]:
    """The requests that are answered otherwise, with the differences."""
    found = {case.name: differences(case, answer) for case, answer in answers() if case.release == release}
    return {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("release", RELEASES)
def test_most_are_alike_and_the_others_are_explained(release: str) -> None:
    total = sum(case.release == release for case, _ in answers())
    found = different(release)
    assert total >= 93
    assert len(found) <= (1 - SHARE) * total, found
    assert found.keys() == explained().get(release, {}).keys(), found


@pytest.mark.parametrize("release", RELEASES)
def test_the_documentation_says_how_many_are_alike(release: str) -> None:
    total = sum(case.release == release for case, _ in answers())
    alike = total - len(different(release))
    line = next(row for row in DOCUMENTATION.read_text(encoding="utf-8").splitlines() if row.startswith(f"| {release}"))
    assert f"| {alike} of {total} |" in line
    assert all(name in DOCUMENTATION.read_text(encoding="utf-8") for name in explained().get(release, {}))


def test_another_answer_is_noticed() -> None:
    case, answer = next((case, answer) for case, answer in answers() if "events" in answer)
    assert not differences(case, answer)
    assert differences(case, answer | {"status": 201})
    assert differences(case, answer | {"headers": answer["headers"][1:]})
    assert differences(case, answer | {"events": answer["events"][:-1]})
