"""Targets behind a private authority, with names beyond ASCII, with fields of their own: judged as any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.conformance.judging import QUICK
from tests.conformance.tls import Authority, authority, serving_tls
from tests.mockserver.live_server import running

pytest_plugins = ["pytester"]

PATH = "/sdcard/그림/é-超分"
VALUE = "Zürich 그림"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(private: Authority) -> Iterator[str]:
    with serving_tls(mock(), private.server) as url:
        yield url


def mock() -> ASGIApp:
    return create_app(SyntheticEngine(Pacing(first=0, step=0.005), any_upscaler=True), ServerSettings())


def judged(pytester: pytest.Pytester, *arguments: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """The run and its result, {} where there is none."""
    file = Path(pytester.path) / "result.json"
    run = pytester.runpytest_subprocess(*QUICK, "--json-report", str(file), *arguments)
    return run, json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def test_a_private_authority(secure: str, private: Authority, pytester: pytest.Pytester) -> None:
    asked = ("--target", secure, "-k", "HLT-01 or GEN-SSE-01 or HLT-02")
    refused, _ = judged(pytester, *asked)
    assert refused.ret == 6
    refused.stdout.fnmatch_lines(
        ["UNREACHABLE: *its TLS certificate is not trusted; give its authority with --cacert FILE, or --insecure (*"]
    )
    for options in (("--cacert", str(private.certificate)), ("--insecure",)):
        run, result = judged(pytester, *asked, *options)
        assert (run.ret, result["outcome"]) == (0, "conformant"), run.stdout.str()
    assert result["settings"]["insecure"] is True


def test_ssl_cert_file(
    secure: str, private: Authority, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(private.certificate))
    run, _ = judged(pytester, "--target", secure, "-k", "HLT-01 or GEN-SSE-01")
    assert run.ret == 0, run.stdout.str()


def test_a_certificate_for_another_name(private: Authority, pytester: pytest.Pytester) -> None:
    with serving_tls(mock(), private.stranger) as url:
        run, _ = judged(pytester, "--target", url, "-k", "HLT-01", "--cacert", str(private.certificate))
        assert run.ret == 6
        run.stdout.fnmatch_lines(["UNREACHABLE: *its TLS certificate is for another name; *"])
        assert judged(pytester, "--target", url, "-k", "HLT-01", "--insecure")[0].ret == 0


def test_the_file_of_authorities_is_looked_at_first(secure: str, pytester: pytest.Pytester) -> None:
    Path("empty.pem").write_text("nothing\n")
    for file, words in (("empty.pem", "there is no certificate"), ("none.pem", "cannot be read: No such file")):
        run = pytester.runpytest_subprocess(*QUICK, "--target", secure, "--cacert", file)
        assert run.ret == 4
        run.stderr.fnmatch_lines([f"ERROR: --cacert: '{file}': *{words}*"])


class Wanting:
    """A mock that wants `model_id` in every JSON object at /generate, and that keeps the headers that it gets."""

    def __init__(self) -> None:
        self.mock = mock()
        self.headers: list[tuple[bytes, bytes]] = []
        self.lacking: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers += scope.get("headers", [])
        if scope["type"] != "http" or scope["path"] != "/generate" or scope["method"] != "POST":
            await self.mock(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        try:
            sent = json.loads(body)
        except ValueError:
            sent = None
        if isinstance(sent, dict):
            if sent.pop("model_id", None) != {"name": "sd15"}:
                self.lacking.append(body)
                sent = {"prompt": 5}  # which it refuses
            body = json.dumps(sent).encode()
        waiting = iter([{"type": "http.request", "body": body}])
        length = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        scope = {**scope, "headers": [*length, (b"content-length", str(len(body)).encode())]}

        async def again() -> Message:
            return next(waiting, None) or await receive()

        await self.mock(scope, again, send)


FIELD = 'model_id={"name": "sd15"}'
SAMPLE = "GEN-REQ or GEN-TYP-01 or GEN-SSE-01 or GEN-PIC-10"


def test_a_field_that_a_server_wants(pytester: pytest.Pytester) -> None:
    app = Wanting()
    with running(app) as url:
        without, _ = judged(pytester, "--target", url, "-k", SAMPLE)
        assert without.ret == 1
        assert app.lacking
        app.lacking.clear()
        run, result = judged(pytester, "--target", url, "-k", SAMPLE, "--field", FIELD)
    assert run.ret == 0, run.stdout.str()
    assert app.lacking == []
    assert result["settings"]["fields"] == ['model_id={"name": "sd15"}']
    run.stdout.fnmatch_lines(["CONFORMANT*, with --field model_id=*"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model_id", "give NAME=JSON"),
        ("model_id=sd15", "is not JSON"),
        ("x=NaN", "is not JSON"),
        ("steps=5", "give --steps"),
        ("prompt=5", "leave it out"),
        ("aspect_ratio=5", "leave it out"),
    ],
)
def test_a_field_that_cannot_be_sent(text: str, words: str, pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(*QUICK, "--target", "http://127.0.0.1:9", "--field", text)
    assert run.ret == 4
    run.stderr.fnmatch_lines([f"ERROR: --field: {text!r}: *{words}*"])


def test_text_beyond_ascii(pytester: pytest.Pytester) -> None:
    app = Wanting()
    with running(app) as url:
        options = ("--upscaler-path", PATH, "--header", f"X-Place: {VALUE}", "--field", FIELD)
        reports = ("--html-report", "뉴/report.html", "--markdown-report", "뉴/é/report.md", "--record", "뉴/녹음")
        run, result = judged(pytester, "--target", url, *options, "-k", "UPS-ANS-01 or GEN-SSE-01", *reports)
    assert run.ret == 0, run.stdout.str()
    assert (b"x-upscaler-path", PATH.encode()) in app.headers
    assert (b"x-place", VALUE.encode()) in app.headers
    assert result["settings"]["upscaler_path"] == PATH
    assert VALUE not in json.dumps(result, ensure_ascii=False)
    again = pytester.runpytest_subprocess(*QUICK, "--replay", "뉴/녹음", "-k", "UPS-ANS-01")
    assert again.ret == 0, again.stdout.str()
