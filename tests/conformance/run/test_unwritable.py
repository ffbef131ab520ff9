"""Places that cannot be written, and what reports must not hold: pytest in a process of its own, a real server."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.judging import Evaluator
from tests.conformance.results import result_of
from tests.conformance.tiny_server import TinyServer

pytest_plugins = ["pytester"]

COMMAND = re.compile(r"^\s*(::[a-z-]+|##\[)", re.MULTILINE)
LARGE = 400_000
"""Characters that no report of the tiny suite may have."""


def test_no_place_for_temporary_files_is_one_line() -> None:
    """No file of a byte can be written anywhere, so that no folder will do."""
    done = subprocess.run(
        [sys.executable, "-m", "local_dream_conformance", "check", "http://127.0.0.1:9"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stdout == ""
    assert re.fullmatch(
        r"Error: no folder for temporary files can be written \(.*\): say where with TMPDIR\n", done.stderr
    )


def test_reports_that_cannot_be_written_are_told_and_fail_the_run(
    judge: Evaluator, server: TinyServer, tmp_path: Path
) -> None:
    for name in ("r.html", "r.xml"):
        (tmp_path / name).symlink_to("/dev/full")
    files = (f"--html-report={tmp_path / 'r.html'}", f"--junitxml={tmp_path / 'r.xml'}")
    result = judge(server, "--json-report=/dev/full", f"--markdown-report={tmp_path / 'r.md'}", *files)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "CONFORMANT: *",
            "no JSON report in /dev/full: No space left on device",
            "no report in *r.html: No space left on device",
            "report: *r.md",
            "no JUnit report in *r.xml: No space left on device",
        ]
    )
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_prompts_are_in_no_report_and_in_no_curl_line(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    server.words = b"bad"
    names = {"json-report": "r.json", "html-report": "r.html", "markdown-report": "r.md", "junitxml": "r.xml"}
    judge(server, "--redact-prompts", *(f"--{option}={tmp_path / name}" for option, name in names.items()))
    assert "curl" in result_of(tmp_path / "r.json")["curl"]["base"]
    bodies = [path for path in tmp_path.rglob("bodies/*") if path.is_file()]
    assert bodies
    assert all('"prompt": "00001"' in path.read_text("utf-8") for path in bodies)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in kept if b"a cat" in path.read_bytes()] == []


def test_reports_obey_no_target_and_have_bounds(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    server.words = b"bad\n::error::owned\n ::stop-commands::x\n##[error]owned\x1b[2J\n" * 20_000
    names = ("r.html", "r.md", "r.xml")
    options = (
        f"--{kind}={tmp_path / name}"
        for kind, name in zip(("html-report", "markdown-report", "junitxml"), names, strict=True)
    )
    result = judge(server, *options)
    assert result.ret == 1
    for text in (result.stdout.str(), *((tmp_path / name).read_text("utf-8") for name in names)):
        assert "owned" in text
        assert COMMAND.search(text) is None
        assert "\x1b[2J" not in text
        assert len(text) < LARGE
