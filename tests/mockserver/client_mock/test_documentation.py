"""The README's examples for authors of clients work as they stand there; so do the tests in examples/clients/python."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.mockserver.client_mock.test_control import mocking
from tests.mockserver.live_server import small

pytest_plugins = ("pytester",)
ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "mock-server.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8081"


def curls(text: str) -> list[list[str]]:
    """The command lines with /__mock__/ in them."""
    lines = re.findall(r"^\$ (curl .*__mock__.*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def test_the_python_example_of_the_readme(pytester: pytest.Pytester) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    pytester.makepyfile(example)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("text", [README, PAGE], ids=["README.md", "mock-server.md"])
def test_the_curl_examples(text: str) -> None:
    with mocking("--control") as client:
        for command in curls(text):
            line = [word.replace(ADDRESS, str(client.base_url).rstrip("/")) for word in command]
            done = subprocess.run([*line, "-sS", "--fail-with-body"], capture_output=True, check=True, text=True)
            answer = json.loads(done.stdout)
            if "script" in line[-1] or any(word.endswith("/script") for word in line):
                assert answer["script"][0] == "busy"
                assert client.post("/generate", json=small()).status_code == 503
            if any("requests" in word for word in line):
                assert [request["answer"].split(", ")[-1] for request in answer] == ["busy"]
    assert len(curls(text)) >= 2


def test_the_example_is_run_with_the_tests_of_the_project(request: pytest.FixtureRequest) -> None:
    assert "examples/clients/python" in request.config.getini("testpaths")
    assert list((ROOT / "examples" / "clients" / "python").glob("test_*.py"))


def test_what_the_page_names_is_there() -> None:
    with mocking("--control") as client:
        for path in set(re.findall(r"/__mock__/([a-z]*)(?=[ `?])", PAGE)):
            assert client.options(f"/__mock__/{path}").status_code == 405, path
