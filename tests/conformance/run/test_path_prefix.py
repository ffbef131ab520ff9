"""A target whose address has a path prefix is judged, quoted and shown as one at the root."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.conformance.judging import QUICK
from tests.mockserver.live_server import running

pytest_plugins = ["pytester"]

JUDGED = ("--profile", "hardened", "-k", "HLT-01 or GEN-SSE-01 or GEN-PIC-02 or UPS-ANS-01 or SRV-03")


def without_allow(app: ASGIApp) -> ASGIApp:
    """The app, but its refusals of a method do not name the one that it takes, which breaks SRV-03."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [pair for pair in message["headers"] if pair[0].lower() != b"allow"]
            await send(message)

        await app(scope, receive, sent)

    return wrapped


@pytest.fixture(scope="module")
def mounted() -> Iterator[str]:
    """The address of a mock that answers at its root and, all the same, under /sd."""
    mock = without_allow(create_app(SyntheticEngine(Pacing(first=0, step=0.005)), ServerSettings()))
    with running(Starlette(routes=[Mount("/sd", mock), Mount("/", mock)])) as url:
        yield url


def run(pytester: pytest.Pytester, url: str) -> tuple[dict[str, Any], str]:
    """The result and the HTML report of a run, without the address in them."""
    folder = Path(pytester.path)
    reports = ("--json-report", str(folder / "result.json"), "--html-report", str(folder / "report.html"))
    pytester.runpytest_subprocess(*QUICK, "--target", url, "--upscaler-path", "default", *JUDGED, *reports)
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result, (folder / "report.html").read_text(encoding="utf-8")


def test_a_prefix_changes_nothing_but_the_addresses(mounted: str, pytester: pytest.Pytester) -> None:
    plain, plain_page = run(pytester, mounted)
    prefixed, page = run(pytester, f"{mounted}/sd/")
    assert {line["id"]: line["verdict"] for line in prefixed["requirements"]} == {
        "HLT-01": "pass",
        "GEN-SSE-01": "pass",
        "GEN-PIC-02": "pass",
        "UPS-ANS-01": "pass",
        "SRV-03": "warn",
    }
    assert prefixed["outcome"] == plain["outcome"] == "conformant"
    assert prefixed["spent"] == plain["spent"] == {"generations": 1, "upscales": 5}
    assert prefixed["curl"] == {label: line.replace(mounted, f"{mounted}/sd") for label, line in plain["curl"].items()}
    assert f"{mounted}/sd/generate" in prefixed["curl"]["health/wrong-method-generate"]
    assert page.count("data:image/") == plain_page.count("data:image/") > 1
