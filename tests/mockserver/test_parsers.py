"""What fuzzing has found, and the seeds it began with: each parser reads all of it, or refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability import fuzz
from tests.reliability.fuzz import CORPUS, TARGETS, by_mutation, judged
from tests.reliability.hostile import from_hypothesis, from_sockets
from tests.reliability.served import served
from tests.reliability.surfaces import SURFACES

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


def test_the_command_ends_with_1_while_something_is_read_wrongly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(data: bytes) -> None:
        if b"x" in data:
            raise ZeroDivisionError

    monkeypatch.setattr(fuzz, "CORPUS", tmp_path)
    monkeypatch.setattr(fuzz, "by_mutation", lambda name, seconds: 0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(TARGETS, "head", (broken, (b"a",)))
    monkeypatch.setattr("sys.argv", ["fuzz", "head", "0"])
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "fine").write_bytes(b"a")
    assert fuzz.main() == 0
    (tmp_path / "head" / "wrong").write_bytes(b"x")
    assert fuzz.main() == 1


def test_mutations_of_json_are_read_or_refused() -> None:
    assert by_mutation("strict_json", 0.5) > 0


def test_a_few_hostile_requests() -> None:
    with served("mock") as server:
        found = from_sockets(server, SURFACES["mock"], 100) + from_hypothesis(server, SURFACES["mock"], 30)
        assert found.total() >= 130
        assert not {status for status in found if status.startswith("5")} - {"503"}
        assert server.tracebacks() == 0
        assert server.stop()[0] == 0
