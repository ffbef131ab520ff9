"""Faults chosen on the command line and by header, one or several, and what is said to whoever asks for what is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from click.testing import CliRunner

from local_dream_mockserver.commands.mock import mock
from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.selection import Selection, made
from local_dream_mockserver.mock.served import faulty
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.config import ServerSettings
from tests.mockserver.live_server import PATIENCE, events_of, mock_program, running, small


@contextmanager
def chosen(*names: str) -> Iterator[httpx.Client]:
    """A server that was started with these."""
    selection = Selection([made(name) for name in names])
    app = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0)), None, selection)
    with running(app) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        yield client


def steps(answer: httpx.Response) -> list[object]:
    return [event.get("step") for event in events_of(answer.text)]


def test_a_header_chooses_for_one_request() -> None:
    with chosen() as client:
        asked = {"X-Mock-Fault": "step-goes-back@progress:2"}
        assert steps(client.post("/generate", json=small(), headers=asked)) == [1, 1, 3, None]
        assert steps(client.post("/generate", json=small())) == [1, 2, 3, None]


def test_several_at_once_act_in_their_order() -> None:
    with chosen("comments") as client:
        asked = {"X-Mock-Fault": "steps-from-zero, terminal-twice"}
        text = client.post("/generate", json=small(), headers=asked).text
        assert text.count(": keep-alive") == 5
        assert text.count("event: complete") == 2
        assert '"step":0' in text


def test_a_header_is_remembered() -> None:
    """What depends on earlier requests sees those with the same header."""
    with chosen() as client:
        asked = {"X-Mock-Fault": "refusal-ends-health"}
        assert client.post("/generate", json=small(steps="x"), headers=asked).status_code == 400
        assert client.get("/health").status_code == 200
        assert client.get("/health", headers=asked).status_code == 500


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("step-goes-bck", "did you mean step-goes-back?"),
        ("step-goes-back@bytes:4", "can be placed by"),
        ("reset", "local-dream proxy --fault reset"),
    ],
)
def test_a_header_that_names_none_is_refused(name: str, said: str) -> None:
    with chosen() as client:
        answer = client.get("/health", headers={"X-Mock-Fault": name})
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]
    assert answer.json()["error"]["message"].startswith("X-Mock-Fault: ")


def test_a_header_that_names_what_needs_an_extension_that_is_off_is_refused() -> None:
    settings = ServerSettings(without=frozenset({"tokenize"}))
    served = faulty(SyntheticEngine(Pacing(first=0, step=0)), settings, [], [])
    with running(served.app) as url:
        for name, status in (("overflow-null", 400), ("coded-bgr", 200)):
            answer = httpx.get(f"{url}/health", headers={"X-Mock-Fault": name})
            assert answer.status_code == status
            assert status == 200 or "needs the extension tokenize" in answer.json()["error"]["message"]


def test_the_program_with_a_fault_a_quirk_and_a_seed() -> None:
    options = ("--fault", "steps-from-zero", "--quirk", "comments", "--seed", "5")
    texts = []
    for _ in range(2):
        with mock_program(*options) as (url, about):
            assert about == "synthetic cpu comments steps-from-zero"
            texts.append(httpx.post(f"{url}/generate", json=small(), timeout=PATIENCE).text)
    events = [[line for line in text.splitlines() if line.startswith("data: ")] for text in texts]
    assert events[0][:-1] == events[1][:-1]
    assert all(text.startswith(": keep-alive\n\n") and '"step":0' in text for text in texts)
    seeds = {line.split('"seed":')[1].split(",")[0] for (*_, line) in events}
    assert len(seeds) == 1


def test_the_program_with_faults_of_extensions_needs_no_further_option() -> None:
    options = ("--fault", "no-generate-405", "--fault", "overflow-never", "--quirk", "pages-without-upscale")
    with mock_program(*options) as (url, about):
        assert about == "synthetic cpu pages-without-upscale no-generate-405 overflow-never"
        assert httpx.post(f"{url}/generate", json=small()).status_code == 405
        counted = httpx.post(f"{url}/tokenize", json={"prompt": "word " * 100}).json()
        assert (counted["count"], counted["overflow_offset"]) == (102, -1)
        assert httpx.post(f"{url}/upscale").status_code == 404


def test_the_program_puts_its_proxy_before_itself_for_faults_of_the_wire() -> None:
    with mock_program("--fault", "reset@bytes:100") as (url, about):
        assert about == "synthetic cpu reset@bytes:100"
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{url}/generate", json=small(), timeout=PATIENCE)
        assert httpx.get(f"{url}/health").status_code == 200


def test_the_program_as_a_release() -> None:
    with mock_program("--personality", "2.4") as (url, about):
        assert about == "synthetic cpu 2.4"
        answer = httpx.get(f"{url}/nowhere", timeout=PATIENCE)
        assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "nothing-of-the-kind"], "no such fault or quirk; see --list-faults"),
        (["--fault", "comments"], "--fault comments: it is a quirk; give it with --quirk"),
        (["--quirk", "reset"], "it is a fault; give it with --fault"),
        (["--fault", "steps-from-zero@near:complete"], "no place in an answer"),
        (["--personality", "1.0"], "2.4"),
        (
            ["--fault", "coded-bgr", "--without", "formats"],
            "coded-bgr: needs the extension formats, which is off; leave out --without formats",
        ),
        (["--quirk", "origin-echoed", "--personality", "2.4"], "the personality that lacks it"),
        (["--quirk", "origin-echoed", "--without", "cors"], "start the server with --cors"),
        (["--control", "--fault", "size-ignored", "--without", "size"], "needs the extension size, which is off"),
    ],
)
def test_what_cannot_be_chosen(options: list[str], said: str) -> None:
    result = CliRunner().invoke(mock, options)
    assert result.exit_code != 0
    assert said in result.output


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--list-faults", "step-goes-back@after:progress:3"),
        ("--list-faults", "coded-bgr  (fault, extension formats)"),
        ("--list-quirks", "pages-without-generate  (quirk, extension cors upscaler-only)"),
        ("--list-quirks", "comments"),
        ("--list-personalities", "2.7"),
    ],
)
def test_lists(option: str, name: str) -> None:
    result = CliRunner().invoke(mock, [option])
    assert result.exit_code == 0
    assert f"\n{name}" in f"\n{result.output}"


@pytest.mark.parametrize("option", ["--list-faults", "--list-quirks", "--list-personalities"])
def test_ids_are_whole_in_lists(option: str) -> None:
    lines = CliRunner().invoke(mock, [option]).output.splitlines()
    assert any(re.search(r"[A-Z]-[0-9]{2}\b", line) for line in lines)
    assert [line for line in lines if line.endswith("-")] == []
