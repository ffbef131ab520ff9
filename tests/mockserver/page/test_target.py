"""The pass-through: one other server's operations, and nothing else of it or of anybody."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from local_dream_mockserver.server.page.address import parse_target
from tests.mockserver.live_server import PATIENCE, GatedEngine, events_of, running, serving, small
from tests.mockserver.page.studio import Served, served

PATH = "/page/pass-through"


@contextmanager
def passing(target: str, **settings: Any) -> Iterator[httpx.Client]:
    with (
        served(page_target=target, **settings) as near,
        httpx.Client(base_url=near.url, timeout=PATIENCE) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def far() -> Iterator[Served]:
    with served(without=frozenset({"cors"})) as far:
        yield far


@pytest.fixture(scope="module")
def client(far: Served) -> Iterator[httpx.Client]:
    with passing(far.url) as client:
        yield client


def to(path: str) -> dict[str, Any]:
    return {"params": {"path": path}}


def test_the_operations_pass(client: httpx.Client, far: Served) -> None:
    far.journal.clear()
    assert client.get(PATH, **to("/health")).status_code == 200
    asked = small(seed=7)
    near = client.post(PATH, **to("/generate"), json=asked)
    assert near.headers["content-type"] == "text/event-stream"
    there = httpx.post(f"{far.url}/generate", json=asked)
    assert events_of(near.text)[-1]["image"] == events_of(there.text)[-1]["image"]
    assert far.asked[0].json == asked
    headers = {"X-Image-Width": "4", "X-Image-Height": "2", "X-Upscaler-Path": "default", "X-Use-OpenCL": "1"}
    large = client.post(PATH, **to("/upscale"), headers=headers, content=bytes(24))
    assert (large.status_code, large.headers["x-output-width"]) == (200, "16")
    assert large.headers["content-type"] == "image/jpeg"
    assert far.journal.requests[-1].headers["x-use-opencl"] == "1"


def test_refusals_pass_as_they_are(client: httpx.Client, far: Served) -> None:
    near = client.post(PATH, **to("/generate"), json=small(steps="4"))
    there = httpx.post(f"{far.url}/generate", json=small(steps="4"))
    assert (near.status_code, near.content) == (there.status_code, there.content) != (200, b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/generate"),
        ("POST", "/health"),
        ("POST", "/tokenize"),
        ("GET", "/health/../docs"),
        ("GET", ""),
    ],
)
def test_nothing_else_passes(client: httpx.Client, far: Served, method: str, path: str) -> None:
    far.journal.clear()
    answer = client.request(method, PATH, params={"path": path})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "request_error")
    assert far.journal.requests == []


def test_only_headers_of_the_api_pass(client: httpx.Client, far: Served) -> None:
    sent = {"Cookie": "a=b", "X-Forwarded-Host": "evil.example", "Authorization": "Bearer near", "X-Mock-Fault": "crlf"}
    assert client.get(PATH, **to("/health"), headers=sent).status_code == 200
    assert set(far.journal.requests[-1].headers).isdisjoint(name.lower() for name in sent)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
    ],
)
def test_other_pages_may_not_use_it(client: httpx.Client, far: Served, headers: dict[str, str]) -> None:
    far.journal.clear()
    for method, path in (("GET", "/health"), ("POST", "/generate")):
        answer = client.request(method, PATH, params={"path": path}, headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert far.journal.requests == []


def test_its_own_page_may(client: httpx.Client) -> None:
    own = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert client.post(PATH, **to("/generate"), json=small(), headers=own).status_code == 200


def test_it_asks_for_this_server_s_token_and_passes_the_other_s() -> None:
    with served(token="far") as far, passing(far.url, token="near") as client:
        assert client.get(PATH, **to("/health")).status_code == 401
        near = {"Authorization": "Bearer near"}
        assert client.post(PATH, **to("/generate"), json=small(), headers=near).status_code == 401
        assert "authorization" not in far.journal.requests[-1].headers
        both = {**near, "X-Target-Authorization": "Bearer far"}
        assert client.post(PATH, **to("/generate"), json=small(), headers=both).status_code == 200


def test_a_page_that_hangs_up_frees_the_other_server_s_engine() -> None:
    engine = GatedEngine()
    with serving(engine) as far, passing(str(far.base_url)) as client:
        with client.stream("POST", PATH, params={"path": "/generate"}, json=small("never mind")) as answer:
            pieces = answer.iter_raw()
            engine.allow(1)
            assert b"event: progress" in next(pieces)
        engine.wait_for(lambda: engine.ended == ["never mind"])


def test_what_the_other_server_says_cannot_run_as_a_page() -> None:
    async def hostile(request: Request) -> Response:
        return Response(
            "<script>alert(1)</script>", headers={"Set-Cookie": "a=b", "Refresh": "0"}, media_type="text/html"
        )

    with running(Starlette(routes=[Route("/health", hostile)])) as far, passing(far) as client:
        answer = client.get(PATH, **to("/health"))
        assert answer.content == b"<script>alert(1)</script>"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert {"set-cookie", "refresh"}.isdisjoint(answer.headers)


def test_a_redirect_is_not_followed(far: Served) -> None:
    async def elsewhere(request: Request) -> Response:
        return Response(status_code=302, headers={"Location": f"{far.url}/health"})

    far.journal.clear()
    with running(Starlette(routes=[Route("/health", elsewhere)])) as moved, passing(moved) as client:
        assert client.get(PATH, **to("/health")).status_code == 302
        assert far.journal.requests == []


def test_a_break_in_the_middle_is_one_here() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"event: progress\n"
        raise ConnectionResetError

    async def broken(request: Request) -> Response:
        return StreamingResponse(pieces(), media_type="text/event-stream")

    routes = [Route("/generate", broken, methods=["POST"])]
    with running(Starlette(routes=routes)) as far, passing(far) as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, **to("/generate"), json=small())


def test_a_server_that_is_not_there_is_named() -> None:
    with passing("http://127.0.0.1:1") as client:
        answer = client.get(PATH, **to("/health"))
        assert (answer.status_code, answer.json()["error"]["type"]) == (502, "server_error")
        assert answer.json()["error"]["message"].startswith("http://127.0.0.1:1 does not answer")


def test_it_is_off_by_default() -> None:
    with served() as server:
        assert httpx.get(server.url + PATH, params={"path": "/health"}).status_code == 404
        assert json.loads(httpx.get(server.url + "/page/about.json").text)["target"] is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://phone:8081/", "http://phone:8081"),
        ("https://dream.example/sd/", "https://dream.example/sd"),
        ("http://[::1]:8081", "http://[::1]:8081"),
    ],
)
def test_an_address_is_read(text: str, address: str) -> None:
    assert parse_target(text) == address


@pytest.mark.parametrize(
    "text",
    ["phone:8081", "file:///etc/passwd", "http://", "http://a:b@c", "http://c?x", "http://c#x", "http://c:99999"],
)
def test_what_is_no_address_is_refused_with_the_option_s_name(text: str) -> None:
    done = command("--page-target", text)
    assert done.returncode == 2
    assert "--page-target" in done.stderr
    assert "give http://HOST:PORT" in done.stderr.replace("\n", " ")


def test_a_target_without_a_page_is_refused() -> None:
    done = command("--page-target", "http://phone:8081", "--no-page")
    assert done.returncode == 2
    assert "leave out --no-page, or --page-target" in done.stderr


def command(*options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "local_dream_mockserver", "--port", "0", *options]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
