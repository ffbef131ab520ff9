"""--max-duration: no request after it, and a report that says so of everything that was not judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core.options import parse_duration
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from tests.matrix.standing import serving


@pytest.fixture(scope="module")
def slow_mock() -> Iterator[str]:
    with serving(create_app(SyntheticEngine(Pacing(first=4.0, step=0.5)))) as url:
        yield url


def check(*arguments: str, folder: Path) -> tuple[int, dict[str, Any], str]:
    report = folder / "report.json"
    command = [sys.executable, "-c", "from local_dream_conformance.cli import main; main()", "check", *arguments]
    done = subprocess.run([*command, "--json-report", str(report)], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(report.read_text(encoding="utf-8")), done.stdout


def test_what_comes_after_it_is_not_asked_and_untested(slow_mock: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    status, result, shown = check(slow_mock, "--max-duration", "3", "--record", str(kept), folder=tmp_path)
    assert status == 7
    assert result["outcome"] == "inconclusive"
    assert result["settings"]["max_duration"] == 3.0
    assert "no request after 3 s" in shown
    # The generation that ran when the time was over was let finish.
    assert [line["label"] for line in result["exchanges"] if line["method"] == "POST" and line["status"] == 200] == [
        "base"
    ]
    verdicts = {line["id"]: line for line in result["requirements"]}
    assert verdicts["HLT-01"]["verdict"] == "pass"
    for id in ("GEN-REQ-01", "GEN-DEF-01", "ROB-03", "UPS-REQ-01"):
        assert verdicts[id]["verdict"] == "untested"
        assert "max-duration: no request was sent after 3 s" in verdicts[id]["reason"]
    states = {line["name"]: line for line in result["plan"]["probes"]}
    assert (states["base"]["state"], states["refuse"]["state"]) == ("made", "planned")
    assert states["refuse"]["reason"].startswith("max-duration")

    _, again, _ = check("--replay", str(kept), folder=tmp_path)
    assert {line["id"]: line["verdict"] for line in again["requirements"]} == {
        id: line["verdict"] for id, line in verdicts.items()
    }
    assert "max-duration" in {line["id"]: line["reason"] for line in again["requirements"]}["GEN-REQ-01"]


def test_a_scenario_that_is_cut_short_proves_no_more_than_it_shows(tmp_path: Path) -> None:
    with serving(create_app(SyntheticEngine(Pacing(first=0, step=0.3)))) as url:
        _, result, _ = check(url, "--max-duration", "2s", "-k", "HLT-01 or GEN-DEF", folder=tmp_path)
    verdicts = {line["id"]: line for line in result["requirements"]}
    assert verdicts["HLT-01"]["verdict"] == "pass"
    assert verdicts["GEN-DEF-01"]["verdict"] == "untested"
    assert "max-duration" in verdicts["GEN-DEF-01"]["reason"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("600", 600), ("10min", 600), ("1.5 h", 5400), ("90 s", 90), ("2m", 120)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "ten", "1d", "25h", "1e3"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="10min"):
        parse_duration(text)
