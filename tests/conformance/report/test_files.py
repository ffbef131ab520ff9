"""The reports as options of a run: pytest in a process of its own, a real server on a real port."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.report.files import Reports
from tests.conformance.tiny_server import TinyServer, tiny_server

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[3]
QUICK = ("-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")
WHOLE = ("--upscaler-path", "x")
Evaluator = Callable[..., pytest.RunResult]


@pytest.fixture
def server() -> Iterator[TinyServer]:
    with tiny_server() as server:
        yield server


@pytest.fixture
def judge(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, server: TinyServer) -> Evaluator:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in [name for name in os.environ if name.startswith(("LOCAL_DREAM_", "GITHUB_"))]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> pytest.RunResult:
        suite = ("-p", "tests.conformance.tiny_suite", "--target", server.url)
        return pytester.runpytest_subprocess(*QUICK, *suite, *arguments)

    return run


def test_all_reports_of_one_run(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    server.words = b"good neat <script>song</script> tok-12345"
    result = judge(
        *WHOLE,
        f"--html-report={tmp_path / 'r.html'}",
        f"--markdown-report={tmp_path / 'r.md'}",
        f"--badge={tmp_path / 'b.svg'}",
        f"--badge={tmp_path / 'b.json'}",
        f"--junitxml={tmp_path / 'r.xml'}",
        "--header=X-Key: tok-12345",
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["report: *r.html", "report: *r.md", "badge: *b.svg", "badge: *b.json"])
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Not conformant" in page
    assert "&lt;script&gt;song" in page
    assert "<script>song" not in page
    assert "TINY-GEN-02" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "b.json").read_bytes())["message"] == "core only: not conformant"
    assert ElementTree.parse(tmp_path / "b.svg").getroot().tag.endswith("svg")
    for name in ("r.html", "r.md", "b.svg", "b.json", "r.xml"):
        assert "tok-12345" not in (tmp_path / name).read_text(encoding="utf-8")


def test_junit_says_id_level_profile_and_verdict(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    server.words = b"good blue words"
    judge(f"--junitxml={tmp_path / 'r.xml'}", "--profile=hardened")
    said = {
        case.get("name"): {entry.get("name"): entry.get("value") for entry in case.iter("property")}
        for case in ElementTree.parse(tmp_path / "r.xml").getroot().iter("testcase")
    }
    assert said["TINY-GEN-03"] == {"id": "TINY-GEN-03", "level": "SHOULD", "profile": "core", "verdict": "warn"}
    assert said["TINY-UPS-01"]["verdict"] == "not-applicable"
    assert said["TINY-GEN-07"] == {"id": "TINY-GEN-07", "level": "SHOULD", "profile": "hardened", "verdict": "pass"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-k", "HLT"), "-k 'HLT' left out 6 requirements of the profile core"),
        (("--budget", "generate=0"), "the budget left out the scenario base"),
        (("-x",), "the run ended before everything was judged"),
    ],
)
def test_a_badge_is_refused_for_a_part(
    judge: Evaluator, server: TinyServer, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    server.words = b"bad"
    result = judge(*WHOLE, *arguments, f"--badge={tmp_path / 'b.svg'}")
    assert not (tmp_path / "b.svg").exists()
    result.stdout.fnmatch_lines([f"no badge in *b.svg: {words}; a badge needs a whole run against a server"])


def test_the_summary_of_a_github_job_is_appended_to(
    judge: Evaluator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert judge(*WHOLE, "-n", "2").ret == 0
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n## ✅ Local Dream conformance: conformant\n")
    assert text.count("## ") == 1


def test_a_summary_that_cannot_be_written_is_a_line(
    judge: Evaluator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "absent" / "summary.md"))
    result = judge(*WHOLE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["no summary of the job: GITHUB_STEP_SUMMARY is *: No such file or directory"])


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        (Reports({"html-report": ["file/r.html"]}), "--html-report: 'file/r.html': its folder cannot be made: "),
        (
            Reports({"markdown-report": ["file/a/r.md"]}),
            "--markdown-report: 'file/a/r.md': its folder cannot be made: ",
        ),
        (Reports({"badge": ["folder.svg"]}), "--badge: 'folder.svg' is a folder; give the name of a file"),
        (Reports({"badge": ["b.png"]}), "--badge: 'b.png': end it in .svg or .json"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_run(
    reports: Reports, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("folder.svg").mkdir()
    with pytest.raises(BadSetting) as caught:
        reports.check()
    assert str(caught.value).startswith(words)


def test_folders_are_made_where_something_is_written(judge: Evaluator, tmp_path: Path) -> None:
    def options(folder: str) -> list[str]:
        new = tmp_path / folder / "new"
        files = {
            "json-report": "r.json",
            "html-report": "r.html",
            "markdown-report": "r.md",
            "badge": "b.svg",
            "write-waivers": "w.toml",
            "record": "kept",
        }
        return [f"--{option}={new / option / name}" for option, name in files.items()]

    assert judge("--plan", *options("dry")).ret == 0
    assert not (tmp_path / "dry").exists()
    assert judge(*WHOLE, *options("wet")).ret == 0
    found = {path.name for path in (tmp_path / "wet" / "new").glob("*/*")}
    assert found == {"r.json", "r.html", "r.md", "b.svg", "w.toml", "kept"}
