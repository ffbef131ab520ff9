from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local_dream_conformance.cli import main
from tests.conformance.results import result


def compare(folder: Path, a: Any, b: Any, *arguments: str, **environment: str) -> Result:
    for name, value in (("a.json", a), ("b.json", b)):
        (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    command = ["compare", str(folder / "a.json"), str(folder / "b.json"), *arguments]
    return CliRunner().invoke(main, command, env=environment, color=True)


@pytest.mark.parametrize(
    ("before", "after", "change", "code"),
    [
        ("pass", "fail", "worse", 1),
        ("pass", "warn", "worse", 1),
        ("warn", "blocked", "worse", 1),
        ("untested", "error", "worse", 1),
        ("pass", "untested", "worse", 1),
        ("waived", "stale", "worse", 1),
        ("fail", "pass", "better", 0),
        ("fail", "waived", "better", 0),
        ("blocked", "not-applicable", "better", 0),
        ("pass", "waived", "other", 0),
        ("untested", "blocked", "other", 0),
        (None, "fail", "new", 0),
        ("fail", None, "gone", 0),
    ],
)
def test_what_changed_and_the_exit_code(
    tmp_path: Path, before: str | None, after: str | None, change: str, code: int
) -> None:
    a = result(**{"HLT-01": "pass"}, **({"GEN-SSE-07": before} if before else {}))
    b = result(**{"HLT-01": "pass"}, **({"GEN-SSE-07": after} if after else {}))
    found = compare(tmp_path, a, b, "--json")
    assert found.exit_code == code
    (line,) = json.loads(found.output)
    assert (line["id"], line["change"]) == ("GEN-SSE-07", change)
    assert (line["before"], line["after"]) == (before or "", after or "")


def test_the_table_shows_the_worst_first_and_why(tmp_path: Path) -> None:
    a = result(**{"HLT-01": "fail", "GEN-SSE-07": "pass", "ERR-01": "pass"})
    b = result(**{"HLT-01": "pass", "GEN-SSE-07": "fail", "ERR-01": "pass"})
    b["requirements"][1]["findings"][0]["got"] = "\x1b[2Jnothing"
    found = compare(tmp_path, a, b, NO_COLOR="1")
    assert found.exit_code == 1
    assert found.output.splitlines() == [
        "A  http://127.0.0.1:8081 (conformant; profile core, contract 1.0, 2026-01-02T03:04:05+00:00)",
        "B  http://127.0.0.1:8081 (conformant; profile core, contract 1.0, 2026-01-02T03:04:05+00:00)",
        "",
        "worse   GEN-SSE-07  MUST    pass -> fail              expected something; got \\x1b[2Jnothing",
        "better  HLT-01      MUST    fail -> pass",
        "",
        "1 worse, 1 better, 1 the same",
    ]


def test_colours_can_be_turned_off(tmp_path: Path) -> None:
    a, b = result(**{"HLT-01": "pass"}), result(**{"HLT-01": "fail"})
    assert "\x1b[31m" in compare(tmp_path, a, b).output
    assert "\x1b" not in compare(tmp_path, a, b, NO_COLOR="1").output


def test_nothing_changed(tmp_path: Path) -> None:
    same = result(**{"HLT-01": "pass"})
    found = compare(tmp_path, same, same)
    assert (found.exit_code, found.output.splitlines()[-1]) == (0, "1 the same")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "b.json is not JSON"),
        ("[]", "b.json is no result of a run (--json-report): $:"),
        (json.dumps({"format": 2}), "b.json: format 2 is not known here (this version reads 1)"),
        (json.dumps({**result(), "duration": "long"}), "$.duration: Expected `float`, got `str`"),
    ],
)
def test_a_file_that_is_no_result(tmp_path: Path, text: str, words: str) -> None:
    found = compare(tmp_path, result(), text)
    assert found.exit_code == 2
    assert words in found.output


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = CliRunner().invoke(main, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert found.exit_code == 2
    assert "cannot be read: No such file" in found.output
