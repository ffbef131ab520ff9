"""Runs at servers that really end, in processes of their own: the death is named once, and nothing else is blamed."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.run import relaunch
from tests.conformance.judging import QUICK
from tests.ports import free_port

MOCK = (sys.executable, "-m", "local_dream_mockserver", "--pace-first", "0", "--pace-step", "0.02")
BROKEN = ("fail", "warn", "error")


@contextlib.contextmanager
def mock(port: int, *faults: str) -> Iterator[list[str]]:
    """The words of the command that started a mock with these faults."""
    words = [*MOCK, "--port", str(port), *(word for fault in faults for word in ("--fault", fault))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            yield words
        finally:
            process.kill()


def judge(url: str, folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """The result of a run, as its JSON and as the terminal shows it."""
    report = folder / "result.json"
    words = [sys.executable, "-m", "pytest", *QUICK, "-p", "no:cacheprovider", "--target", url]
    words += ["--upscaler-path", "default", "--idle-timeout", "20", "--json-report", str(report), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCAL_DREAM_")}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env={**environment, "TMPDIR": str(folder)})
    result: dict[str, Any] = json.loads(report.read_text())
    assert result["exit_code"] == done.returncode, done.stdout
    return result, done.stdout


def verdicts(result: dict[str, Any], *wanted: str) -> set[str]:
    return {one["id"] for one in result["requirements"] if one["verdict"] in wanted}


def findings(result: dict[str, Any], id: str) -> list[dict[str, Any]]:
    return next(one["findings"] for one in result["requirements"] if one["id"] == id)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    return False


@pytest.mark.parametrize(
    ("fault", "options", "died", "label"),
    [
        ("dies-of-a-wrong-type", (), 'of POST /generate {"steps": "4"}', "refuse/type/steps-string"),
        ("dies-of-a-hang-up", ("-n", "2"), "of the hang-up on POST /generate", "hang-up/abandoned"),
        ("dies-of-an-empty-body", ("--profile", "all"), "of POST /generate", "refuse/body-empty"),
        (
            "dies-of-a-negative-size",
            ("--profile", "hardened", "--destructive"),
            'of POST /generate {"width": -8}',
            "destructive/range/width-negative",
        ),
    ],
)
def test_a_death_is_named_once_and_blocks_what_it_left_unjudged(
    fault: str, options: tuple[str, ...], died: str, label: str, tmp_path: Path
) -> None:
    port = free_port()
    with mock(port, fault):
        result, shown = judge(f"http://127.0.0.1:{port}", tmp_path, *options)
        assert not listens(port)
    assert (result["exit_code"], verdicts(result, *BROKEN)) == (1, {"SRV-05"})
    (finding,) = findings(result, "SRV-05")
    assert finding["got"].startswith(f"the target died {died}")
    assert finding["got"].endswith(": refused connections from then on")
    assert finding["exchange"] == label
    assert result["curl"][label] in shown
    reasons = {one["id"]: one["reason"] for one in result["requirements"] if one["verdict"] == "blocked"}
    assert set(reasons.values()) == {"SRV-05 does not hold"}
    assert all(one["verdict"] != "untested" or "--destructive" in one["reason"] for one in result["requirements"])
    assert all(one["end"] != "unreachable" for one in result["exchanges"])
    if label.startswith("refuse"):
        assert {line["state"] for line in result["extensions"]} <= {"unknown"}


def test_without_destructive_nothing_that_kills_is_sent(tmp_path: Path) -> None:
    port = free_port()
    with mock(port, "dies-of-a-negative-size", "dies-of-an-upscale-too-large", "dies-after-an-abandoned-picture"):
        result, _ = judge(f"http://127.0.0.1:{port}", tmp_path, "--profile", "all")
        assert listens(port)
    assert (result["exit_code"], verdicts(result, *BROKEN)) == (0, set())
    left = {one["id"]: one["reason"] for one in result["requirements"] if one["verdict"] == "untested"}
    assert set(left) == {"GEN-RNG-03", "UPS-REQ-13"}
    assert all("asked only with --destructive" in reason for reason in left.values())


def test_a_supervised_server_that_comes_back_is_judged_on(tmp_path: Path) -> None:
    port = free_port()
    with mock(port, "dies-and-comes-back"):
        result, _ = judge(f"http://127.0.0.1:{port}", tmp_path)
    assert verdicts(result, *BROKEN) == {"SRV-05"}
    deaths = findings(result, "SRV-05")
    assert [finding["exchange"] for finding in deaths] == ["refuse/json-malformed", "refuse/json-trailing"]
    assert all("came back after" in finding["got"] for finding in deaths)
    assert verdicts(result, "blocked") == {"GEN-REQ-02", "GEN-EVT-18", "GEN-EVT-20", "ERR-06"}


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_with_relaunch_the_target_is_started_again_and_ended_with_the_run(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    port = free_port()
    with mock(port, "dies-of-a-hang-up") as words:
        result, shown = judge(f"http://127.0.0.1:{port}", tmp_path, "--relaunch", shlex.join(words), *options)
    assert verdicts(result, *BROKEN) == {"SRV-05"}
    assert verdicts(result, "blocked") == {"ROB-01", "ROB-03"}
    (finding,) = findings(result, "SRV-05")
    assert "started again with --relaunch" in finding["got"]
    assert "started the target again once" in shown
    assert not listens(port)
    assert result["settings"]["relaunch"] == shlex.quote(sys.executable)
    (log,) = tmp_path.glob("local-dream-*/run-*/relaunched/1.log")
    assert log.read_text().startswith("ready")


def test_a_relaunch_that_fails_is_told(tmp_path: Path) -> None:
    port = free_port()
    with mock(port, "dies-of-an-empty-body"):
        result, _ = judge(f"http://127.0.0.1:{port}", tmp_path, "--relaunch", "no-such-program --port 1")
    (finding,) = findings(result, "SRV-05")
    assert "--relaunch did not help: the command ended with code 127" in finding["got"]


def test_a_recording_of_a_death_is_judged_as_the_run_was(tmp_path: Path) -> None:
    port = free_port()
    with mock(port, "dies-of-a-wrong-type"):
        live, _ = judge(f"http://127.0.0.1:{port}", tmp_path, "--record", str(tmp_path / "kept"))
    again = tmp_path / "again.json"
    words = [sys.executable, "-m", "pytest", *QUICK, "-p", "no:cacheprovider", "--replay", str(tmp_path / "kept")]
    subprocess.run([*words, "--json-report", str(again)], cwd=tmp_path, capture_output=True)
    replayed = json.loads(again.read_text())
    assert [(one["id"], one["verdict"], one["reason"]) for one in live["requirements"]] == [
        (one["id"], one["verdict"], one["reason"]) for one in replayed["requirements"]
    ]


def test_the_suites_own_server_is_started_again_as_it_was_started() -> None:
    words = relaunch.command(None, "mock", "http://127.0.0.1:4711")
    assert "local_dream_mockserver" in words
    assert words[-2:] == ["--port", "4711"]
    assert relaunch.command("a 'b c'", "mock", "http://127.0.0.1:1") == ["a", "b c"]
    assert relaunch.command(None, "", "http://127.0.0.1:1") == []
