"""Who may call: names in Host, origins of pages, the token; and what the command says of an open address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from local_dream_mockserver.commands.mock import mock
from local_dream_mockserver.commands.options import exposed
from local_dream_mockserver.mock.mock import Mock
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.access import is_loopback_address, is_safe
from tests.mockserver.live_server import PATIENCE, serving, small
from tests.mockserver.test_server import process


@contextmanager
def started(*options: str, played: str = "") -> Iterator[httpx.Client]:
    with process(*options, played=played) as (_, url), httpx.Client(base_url=url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="module")
def local() -> Iterator[httpx.Client]:
    with started("--allow-host", "Dream.Example", "--control") as client:
        yield client


@pytest.mark.parametrize("path", ["/health", "/generate", "/__mock__/requests"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_a_foreign_name_is_refused(local: httpx.Client, path: str, host: str) -> None:
    refused = local.get(path, headers={"Host": host})
    assert refused.status_code == 403
    assert refused.json()["error"]["type"] == "request_error"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:8081", "192.168.0.7", "mock", "dream.example:1"]
)
def test_names_of_this_machine_pass(local: httpx.Client, host: str) -> None:
    assert local.get("/health", headers={"Host": host}).status_code == 200
    assert local.get("/__mock__/requests", headers={"Host": host}).status_code == 200


def test_the_fixture_keeps_its_journal_from_foreign_names(local_dream_mock: Mock) -> None:
    foreign = {"Host": "evil.example"}
    assert httpx.get(f"{local_dream_mock.url}/__mock__/requests", headers=foreign).status_code == 403
    assert httpx.get(f"{local_dream_mock.url}/health", headers=foreign).status_code == 200


def test_without_cors_foreign_pages_may_not_post(local: httpx.Client) -> None:
    assert local.post("/generate", json=small(), headers={"Origin": "https://evil.example"}).status_code == 403
    assert local.post("/generate", json=small(), headers={"Origin": "null"}).status_code == 403
    for own in ("http://localhost:3000", "http://dream.example", str(local.base_url)):
        assert local.post("/generate", json=small(), headers={"Origin": own}).status_code == 200


def test_with_cors_pages_are_let_in() -> None:
    with started("--cors") as client:
        answer = client.post("/generate", json=small(), headers={"Origin": "https://page.example"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize(
    ("options", "played", "let_in"),
    [
        ((), "", False),
        (("--personality",), "2.7", True),
        (("--cors", "--personality"), "2.4", False),
        (("--quirk",), "origin-echoed", True),
        (("--quirk",), "comments", False),
    ],
)
def test_who_asks_for_a_server_with_cors_gets_one(options: tuple[str, ...], played: str, let_in: bool) -> None:
    with started(*options, *played.split(), played=played) as client:
        answer = client.get("/health", headers={"Origin": "https://page.example"})
        assert ("access-control-allow-origin" in answer.headers) is let_in


def test_cors_cannot_be_on_and_off() -> None:
    result = CliRunner().invoke(mock, ["--cors", "--without", "cors"])
    assert result.exit_code == 2
    assert "leave out one of them" in result.output


@pytest.mark.parametrize("path", ["/generate", "/upscale"])
def test_the_preflight_of_a_private_network(path: str) -> None:
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    private = {"Access-Control-Request-Private-Network": "true"}
    with serving(SyntheticEngine()) as client:
        answer = client.options(path, headers=asked | private)
        assert (answer.status_code, answer.headers["access-control-allow-private-network"]) == (204, "true")
        assert "access-control-allow-private-network" not in client.options(path, headers=asked).headers
    with serving(SyntheticEngine(), without={"cors"}) as client:
        assert client.options(path, headers=asked | private).status_code == 405


def test_the_token() -> None:
    def status(client: httpx.Client, method: str, path: str, authorization: str | None = None, **keys: Any) -> int:
        headers = {} if authorization is None else {"Authorization": authorization}
        return client.request(method, path, headers=headers, **keys).status_code

    with started("--token", "s3cret", "--control", "--cors") as client:
        assert status(client, "GET", "/health") == 200
        for wrong in (None, "s3cret", "Bearer", "Bearer s3cre", "Basic s3cret", "Bearer s3cret2"):
            for method, path in (
                ("POST", "/generate"),
                ("POST", "/upscale"),
                ("GET", "/__mock__/requests"),
                ("GET", "/x"),
            ):
                assert status(client, method, path, wrong) == 401
        assert status(client, "POST", "/generate", "bearer s3cret", json=small()) == 200
        assert status(client, "GET", "/__mock__/requests", "Bearer s3cret") == 200
        page = {"Origin": "https://page.example"}
        refused = client.post("/generate", headers=page)
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.headers["access-control-allow-origin"] == "*"
        assert client.options("/generate", headers=page | {"Access-Control-Request-Method": "POST"}).status_code == 204


def test_the_token_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_DREAM_TOKEN", "s3cret")
    with started() as client:
        assert client.post("/generate", json=small()).status_code == 401


def test_what_is_safe_and_what_is_loopback() -> None:
    assert all(map(is_safe, ("localhost", "a.localhost", "::1", "10.0.0.1", "phone")))
    assert not any(map(is_safe, ("", "phone.local", "evil.example", "1.2.3.4.5")))
    assert all(map(is_loopback_address, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback_address, ("", "0.0.0.0", "::", "192.168.0.7", "phone")))


def test_an_open_address_is_told() -> None:
    with process("--host", "0.0.0.0") as (server, url):
        port = url.rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/health", headers={"Host": "phone.local"}).status_code == 200
        server.terminate()
        _, errors = server.communicate(timeout=PATIENCE)
    assert errors.splitlines() == [exposed("0.0.0.0", "everybody there can use it, as there is no --token")]


@pytest.mark.parametrize("name", ["mock", "serve", "proxy"])
def test_each_command_runs_as_a_module(name: str) -> None:
    command = [sys.executable, "-m", f"local_dream_mockserver.commands.{name}", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.startswith(f"Usage: local-dream {name} ")
