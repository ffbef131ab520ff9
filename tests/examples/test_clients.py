"""The clients in examples/clients, each as its readers start it: the same pictures, retries and errors in every
language."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from local_dream_mockserver import Mock, running_mock
from tests.conformance.report.chromium import chromium

CLIENTS = Path(__file__).resolve().parents[2] / "examples" / "clients"
JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("okhttp", "okio", "json-latest")]
SMALL = ("steps=3", "width=64", "height=48", "seed=7")

Client = Callable[..., "subprocess.CompletedProcess[str]"]


def need(found: object, what: str) -> None:
    """Skip without it; with CI set, fail."""
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {what}")


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Java client was compiled to."""
    need(shutil.which("javac"), "javac")
    need(all(jar.is_file() for jar in JARS), "libokhttp-java and libandroid-json-org-java")
    folder = tmp_path_factory.mktemp("classes")
    sources = sorted((CLIENTS / "java").glob("*.java"))
    subprocess.run(["javac", "-Xlint:all,-serial", "-Werror", "-cp", class_path(), "-d", folder, *sources], check=True)
    return folder


def class_path(*more: Path) -> str:
    return os.pathsep.join(map(str, (*more, *JARS)))


@pytest.fixture(params=["python", "javascript", "java", "shell"])
def client(request: pytest.FixtureRequest) -> Client:
    """A client's command, which gets url, prompt, file and fields."""
    match request.param:
        case "python":
            command = [sys.executable, str(CLIENTS / "python" / "generate.py")]
        case "javascript":
            need(shutil.which("node"), "node")
            command = ["node", str(CLIENTS / "javascript" / "generate.mjs")]
        case "java":
            command = ["java", "-Xshare:auto", "-cp", class_path(request.getfixturevalue("classes")), "Generate"]
        case _:
            need(shutil.which("jq") and shutil.which("curl"), "curl and jq")
            command = ["bash", str(CLIENTS / "shell" / "generate.sh")]

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        given = [*command, *map(str, arguments)]
        return subprocess.run(given, check=False, capture_output=True, text=True, timeout=60)

    return call


def test_a_picture(client: Client, local_dream_mock: Mock, tmp_path: Path) -> None:
    done = client(local_dream_mock.url, 'a "red" house\\n 그림', tmp_path / "out.ppm", *SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'out.ppm'}: 64x48, seed 7\n"
    assert done.stderr.splitlines() == ["step 1/3", "step 2/3", "step 3/3"]
    with Image.open(tmp_path / "out.ppm") as picture:
        assert picture.size == (64, 48)
        assert len(picture.getcolors(1 << 20) or ()) > 10
    (request,) = local_dream_mock.requests
    assert request.json == {"prompt": 'a "red" house\\n 그림', "steps": 3, "width": 64, "height": 48, "seed": 7}
    assert local_dream_mock.breaches == []


def test_a_busy_server_is_asked_again(client: Client, local_dream_mock: Mock, tmp_path: Path) -> None:
    mock = local_dream_mock
    mock.script([mock.busy(retry_after=0), mock.busy(retry_after=0), mock.ok()])
    done = client(mock.url, "a red house", tmp_path / "out.ppm", *SMALL)
    assert done.returncode == 0, done.stderr
    assert [request.status for request in mock.requests] == [503, 503, 200]


def test_the_user_is_told_why(client: Client, local_dream_mock: Mock, tmp_path: Path) -> None:
    mock = local_dream_mock
    answers = {
        "width: too large": mock.refusal("width: too large"),
        "out of memory": mock.error_event("out of memory", after=2),
    }
    mock.script(list(answers.values()))
    for message in answers:
        done = client(mock.url, "a red house", tmp_path / "out.ppm", *SMALL)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == f"no picture: {message}"
    assert not (tmp_path / "out.ppm").exists()


def test_without_arguments_the_usage_is_told(client: Client) -> None:
    done = client("http://127.0.0.1:8081")
    assert done.returncode == 2
    (usage,) = done.stderr.splitlines()
    assert re.search(r" URL PROMPT OUT\.(ppm|png) \[FIELD=JSON \.\.\.\]", usage)


@pytest.mark.parametrize(
    "fault", ["terminal-missing", "base64-cut", "raw-short-of-a-row", "reset@bytes:200", "errors-as-pages"]
)
def test_what_servers_do_wrong_ends_as_no_picture(
    client: Client, local_dream_mock: Mock, tmp_path: Path, fault: str
) -> None:
    local_dream_mock.fault(fault)
    fields = ("steps=0",) if fault.startswith("errors") else SMALL
    done = client(local_dream_mock.url, "a red house", tmp_path / "out.ppm", *fields)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("no picture: ")
    assert not (tmp_path / "out.ppm").exists()


@pytest.mark.parametrize("quirk", ["comments", "byte-by-byte", "content-type-doubled"])
def test_odd_servers_are_understood(client: Client, local_dream_mock: Mock, tmp_path: Path, quirk: str) -> None:
    local_dream_mock.quirk(quirk)
    done = client(local_dream_mock.url, "a red house", tmp_path / "out.ppm", *SMALL)
    assert done.returncode == 0, done.stderr


def test_no_server(client: Client, tmp_path: Path) -> None:
    done = client("http://127.0.0.1:1", "a red house", tmp_path / "out.ppm")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("no picture: ")


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The files of a folder over HTTP: its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


def test_the_same_client_in_a_page(tmp_path: Path) -> None:
    with running_mock() as mock, served(CLIENTS / "javascript") as here, chromium(tmp_path) as page:
        mock.script([mock.ok(), mock.error_event("out of memory", after=2), mock.ok()])
        page.get(f"{here}/browser.html?server={mock.url}")
        status = page.find_element(By.CSS_SELECTOR, "p")
        generate, cancel = page.find_elements(By.CSS_SELECTOR, "button")

        def says(text: str) -> None:
            WebDriverWait(page, 30, poll_frequency=0.05).until(lambda _: text in status.text, f"{text!r} did not come")

        generate.click()
        says("seed")
        width, centre = page.execute_script(
            "const canvas = document.querySelector('canvas');"
            "return [canvas.width, [...canvas.getContext('2d').getImageData(256, 256, 1, 1).data]]"
        )
        assert width == 512
        assert centre[3] == 255
        generate.click()
        says("out of memory")
        mock.pace(step=1)
        generate.click()
        says("step")
        cancel.click()
        says("cancelled")
        assert mock.requests[-1].wait().hung_up
