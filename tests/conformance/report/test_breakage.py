"""What a run says of a server with one mistake in it that breaks twenty requirements: FastAPI with its own 422."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.judging import QUICK, ROOT
from tests.mockserver.live_server import eventually

pytest.importorskip("fastapi")
pytest_plugins = ["pytester"]

HANDLER = "@app.exception_handler(RequestValidationError)\n"
BY_HAND = re.compile(r"async def generate\(request: Request\) -> Response:\n.*?\n    size = ", re.DOTALL)
MOST_LINES = 120
ONE_CAUSE = "23 MUST broken by one thing, in * requests: expected status 400, got status 422 (application/json)"
IDS = "  ids       GEN-REQ-01 to -04, GEN-REQ-06, GEN-TYP-01 to -14, UPS-REQ-01 to -04"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our example, as most people write it: FastAPI reads the body, and answers 422 itself."""
    folder = tmp_path_factory.mktemp("fastapi")
    example = ROOT / "examples" / "servers" / "fastapi"
    (folder / "engine.py").write_text((example / "engine.py").read_text(encoding="utf-8"), encoding="utf-8")
    text = (example / "server.py").read_text(encoding="utf-8")
    assert HANDLER in text
    assert BY_HAND.search(text)
    text = BY_HAND.sub(
        "async def generate(asked: GenerateRequest) -> Response:\n    size = ", text.replace(HANDLER, "")
    )
    (folder / "server.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "uvicorn", "server:app", "--port", "0"]
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: "running on" in log.read_text())
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        assert found
        yield found[0]
    finally:
        server.kill()
        server.wait()


def test_one_mistake_is_told_once(url: str, pytester: pytest.Pytester) -> None:
    files = {"json-report": "r.json", "html-report": "r.html", "markdown-report": "r.md", "junitxml": "r.xml"}
    reports = [f"--{option}={name}" for option, name in files.items()]
    result = pytester.runpytest_subprocess(*QUICK, "--target", url, "--steps", "2", *reports)
    assert result.ret == 1
    assert len(result.outlines) < MOST_LINES
    result.stdout.fnmatch_lines(
        [ONE_CAUSE, IDS, "  such as   GEN-REQ-01: *", "  try       curl *", "NOT CONFORMANT: *"]
    )
    assert not [line for line in result.outlines if line.startswith(("FAILED", "  also"))]

    written = json.loads(Path("r.json").read_text(encoding="utf-8"))
    first = written["causes"][0]
    assert (first["expected"], first["got"]) == ("status 400", "status 422 (application/json)")
    assert len(first["ids"]) == 23
    assert len(first["requests"]) > 60
    markdown = Path("r.md").read_text(encoding="utf-8")
    assert "- expected `status 400`, got `status 422 (application/json)`: in " in markdown
    assert markdown.count("got `status 422 (application/json)`") == 1
    assert "got status 422 (application/json)</strong>: in " in Path("r.html").read_text(encoding="utf-8")
    suite = ElementTree.parse("r.xml").getroot()
    said = {entry.get("name"): entry.get("value") or "" for entry in suite.iter("property")}
    assert said["broken-1"].startswith("23 MUST ")
    failed = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    for id in first["ids"]:  # each fails on its own, with an example and its command
        failure = failed[id]
        assert failure is not None
        assert "  try       curl " in (failure.text or "")


def test_each_requirement_has_its_command_where_that_is_asked_for(url: str, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(*QUICK, "--target", url, "-v", "-k", "GEN-TYP")
    commands = [line.split()[0] for line in result.outlines if re.match(r"  GEN-TYP-\d\d  +curl ", line)]
    assert commands == [f"GEN-TYP-{number:02}" for number in range(1, 15)]


def test_pytests_own_account_can_be_had(url: str, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(*QUICK, "--target", url, "-k", "GEN-TYP-01", "--tb=short", "-rf")
    result.stdout.fnmatch_lines(["*= FAILURES =*", "FAILED generate_types.py::GEN-TYP-01*"])
