"""What fuzzing has found, and the seeds it began with: each parser reads all of it, or refuses it."""

from __future__ import annotations

import pytest

from tests.reliability.document import Row, Section, document, sparkline
from tests.reliability.fuzz import CORPUS, TARGETS, by_mutation, judged
from tests.reliability.hostile import from_hypothesis, from_sockets
from tests.reliability.served import served

KEPT = [(path.parent.name, path.read_bytes()) for path in sorted(CORPUS.glob("*/*"))]
SEEDS = [(name, data) for name, (_, seeds) in TARGETS.items() for data in seeds]


@pytest.mark.parametrize(("name", "data"), [*KEPT, *SEEDS], ids=lambda value: value if isinstance(value, str) else "")
def test_what_was_found_is_read_or_refused(name: str, data: bytes) -> None:
    assert judged(name, data) == ""


def test_a_wrong_reading_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        raise ZeroDivisionError("really")

    monkeypatch.setitem(TARGETS, "head", (broken, ()))
    assert judged("head", b"") == "ZeroDivisionError: really"


def test_mutations_of_json_are_read_or_refused() -> None:
    assert by_mutation("strict_json", 0.5) > 0


def test_a_few_hostile_requests() -> None:
    with served("mock") as server:
        found = from_sockets(server, 100) + from_hypothesis(server, 30)
        assert found.total() >= 130
        assert not {status for status in found if status.startswith("5")} - {"503"}
        assert server.tracebacks() == 0
        assert server.stop()[0] == 0


def test_the_document() -> None:
    section = Section("mock", [Row("requests", 5, "200 5"), Row("500s", 5, "1", broken=True)], [1, 4, 8], 3.0)
    page = document([section], ["--count", "5"])
    assert "| requests | 5 | 200 5 |\n| ✗ 500s | 5 | 1 |" in page
    assert "`--count 5`" in page
    assert section.broken
    assert sparkline([0, 4, 8]) == "▁▅█"
