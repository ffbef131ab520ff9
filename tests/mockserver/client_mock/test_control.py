"""The control API of `local-dream mock --control`, as tests in other languages use it: the command, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.mockserver.live_server import PATIENCE, events_of, mock_program, small


@contextmanager
def mocking(*options: str) -> Iterator[httpx.Client]:
    """A client of `local-dream mock` with these options."""
    with mock_program(*options) as (url, _), httpx.Client(base_url=url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with mocking("--control", "--quirk", "total-steps-plus-two") as client:
        yield client


@pytest.fixture
def client(server: httpx.Client) -> httpx.Client:
    assert server.post("/__mock__/reset").status_code == 200
    return server


def ends(client: httpx.Client, **headers: str) -> str:
    events = events_of(client.post("/generate", json=small(), headers=headers).text)
    assert events[0]["total_steps"] == 5
    return str(events[-1]["type"])


def state(faults: list[str], script: list[str], quirks: list[str] | None = None) -> dict[str, Any]:
    pace = {"first": 0, "step": 0, "upscale": 0}
    return {"faults": faults, "quirks": ["total-steps-plus-two", *(quirks or ())], "script": script, "pace": pace}


def test_without_the_option_there_is_no_such_path() -> None:
    with mocking() as client:
        for path in ("/__mock__/", "/__mock__/requests", "/__mock__/fault"):
            assert client.get(path).status_code == 404
        assert client.put("/__mock__/fault", content="terminal-missing").status_code == 404
        assert client.post("/__mock__/reset").status_code == 404


def test_faults_are_put_added_and_taken_away(client: httpx.Client) -> None:
    put = client.put("/__mock__/fault", content="terminal-missing")
    assert put.json() == state(["terminal-missing"], [])
    assert ends(client) == "progress"
    added = client.post("/__mock__/fault", json=["seed-off-by-one"])
    assert added.json() == state(["terminal-missing", "seed-off-by-one"], [])
    assert client.put("/__mock__/fault", content="engine-fails@after:progress:1").json() == state(
        ["engine-fails@after:progress:1"], []
    )
    assert ends(client) == "error"
    assert client.delete("/__mock__/fault").json() == state([], [])
    assert ends(client) == "complete"
    assert client.post("/__mock__/quirk", json="comments").json() == state([], [], ["comments"])
    assert client.get("/__mock__/").json() == state([], [], ["comments"])


def test_the_wire_too_by_order_and_by_header(client: httpx.Client) -> None:
    with pytest.raises(httpx.TransportError):
        client.post("/generate", json=small(), headers={"X-Mock-Fault": "reset@bytes:20"})
    assert ends(client) == "complete"
    client.put("/__mock__/fault", content="reset@bytes:20")
    with pytest.raises(httpx.TransportError):
        client.post("/generate", json=small())
    assert client.post("/__mock__/reset").json() == state([], [])
    assert ends(client) == "complete"


def test_a_script(client: httpx.Client) -> None:
    script = [
        "busy",
        {"busy": {"retry_after": 9}},
        {"refusal": "no"},
        {"server_error": {"message": "down", "status": 502}},
        {"error_event": {"message": "died", "after": 0}},
        {"faulty": ["terminal-missing", "comments"]},
        {"faulty": "terminal-twice"},
    ]
    left = client.put("/__mock__/script", json=script).json()["script"]
    assert left == [
        "busy",
        "busy",
        "refusal",
        "server_error",
        "error_event",
        "faulty terminal-missing, comments",
        "faulty terminal-twice",
    ]
    assert client.post("/__mock__/script", json=["ok"]).json()["script"] == [*left, "ok"]
    answers = [client.post("/generate", json=small()) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [503, 503, 400, 502, 200, 200, 200, 200]
    assert [answer.headers["retry-after"] for answer in answers[:2]] == ["5", "9"]
    assert answers[2].json()["error"]["message"] == "no"
    assert [event["type"] for event in events_of(answers[4].text)] == ["error"]
    assert [answers[number].text.count("event: complete") for number in (5, 6, 7)] == [0, 2, 1]
    client.put("/__mock__/script", json=["busy"])
    assert client.delete("/__mock__/script").json() == state([], [])


def test_the_journal(client: httpx.Client) -> None:
    client.post("/generate", json={"prompt": "x", "steps": "4", "extra": 1})
    client.post("/upscale", content=b"\xff\0", headers={"Content-Type": "application/octet-stream"})
    generate, upscale = client.get("/__mock__/requests?wait=10").json()
    assert generate["json"] == {"prompt": "x", "steps": "4", "extra": 1}
    assert [(one["requirement"], one["field"]) for one in generate["breaches"]] == [
        ("GEN-REQ-08", "extra"),
        ("GEN-TYP-03", "steps"),
    ]
    assert (generate["method"], generate["path"], generate["status"]) == ("POST", "/generate", 400)
    assert ["content-type", "application/json"] in generate["headers"]
    assert (upscale["json"], upscale["body_length"], upscale["over"], upscale["hung_up"]) == (None, 2, True, None)
    assert client.get("/__mock__/requests/2/body").content == b"\xff\0"
    assert client.get("/__mock__/requests/3/body").status_code == 404
    assert client.get("/__mock__/breaches").json() == [*generate["breaches"], *upscale["breaches"]]
    assert [one["request"] for one in generate["breaches"] + upscale["breaches"]][:3] == [1, 1, 2]
    assert client.delete("/__mock__/requests").json() == []
    assert client.get("/__mock__/breaches").json() == []


@pytest.mark.parametrize(
    "body",
    [b'{"prompt": NaN}', b'{"cfg": 1e999}', b"[" * 100_000, b'{"\\ud800": 1}', b"\xff", b'{"seed": ' + b"1" * 5000],
)
def test_the_journal_stands_whatever_was_sent(client: httpx.Client, body: bytes) -> None:
    assert client.post("/generate", content=body).status_code == 400
    (request,) = client.get("/__mock__/requests").json()
    assert (request["body_length"], request["status"]) == (len(body), 400)
    assert request["breaches"]
    assert client.get("/__mock__/requests/1/body").content == body


def test_the_journal_tells_of_a_hang_up(client: httpx.Client) -> None:
    client.put("/__mock__/fault", content="stall@after:progress:1")
    with client.stream("POST", "/generate", json=small()) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        (running,) = client.get("/__mock__/requests").json()
        assert (running["over"], running["hung_up"]) == (False, None)
        assert client.get("/__mock__/requests?wait=0").status_code == 408
    (left,) = client.get("/__mock__/requests?wait=20").json()
    assert left["over"]
    assert left["hung_up"].keys() == {"seconds", "bytes_sent", "events_sent"}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("fault", b"terminal-mising", "did you mean terminal-missing"),
        ("fault", b"comments", "it is a quirk"),
        ("fault", b"[1]", "a JSON list"),
        ("fault", b"[", "not JSON"),
        ("quirk", b"\xff", "not UTF-8"),
        ("script", b'"busy"', "a JSON list of answers"),
        ("script", b'["bussy"]', "there are ok, busy"),
        ("script", b'[{"busy": {"after": 5}}]', "no such options"),
        ("script", b'[{"faulty": "nothing"}]', "no such fault"),
        ("script", b'[{"faulty": []}]', "at least one fault"),
        ("script", b'[{"refusal": {"message": "x", "status": 200}}]', "from 400 to 499"),
        ("script", b"[{}]", "no answer of a script"),
        ("script", b'[{"paced": {"hold": -1}}]', "hold is a number of steps"),
        ("script", b'[{"paced": {"step": "1"}}]', "seconds are numbers"),
        ("script", b'[{"paced": {"step": 1e9}}]', "from 0 to 3600"),
        ("pace", b"0.5", "send seconds for some of first, step, upscale"),
        ("pace", b'{"steps": 1}', "send seconds for some of first, step, upscale"),
        ("pace", b'{"step": true}', "seconds are numbers"),
        ("pace", b'{"step": NaN}', "from 0 to 3600"),
    ],
)
def test_bad_orders_are_refused_and_change_nothing(client: httpx.Client, path: str, body: bytes, message: str) -> None:
    before = client.get("/__mock__/").json()
    answer = client.put(f"/__mock__/{path}", content=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert client.get("/__mock__/").json() == before


def test_what_the_command_line_asked_for_stands_until_it_is_replaced() -> None:
    with mocking("--control", "--personality", "2.7", "--fault", "reset@bytes:20", "--quirk", "comments") as client:
        for _ in range(2):
            assert client.get("/__mock__/").json()["faults"] == ["reset@bytes:20"]
            with pytest.raises(httpx.TransportError):
                client.post("/generate", json=small())
            left = client.delete("/__mock__/fault").json()
            assert (left["faults"], left["quirks"], left["script"]) == ([], ["comments"], [])
            answer = client.post("/generate", json=small(width=512, height=512))
            assert "event: complete" in answer.text
            client.post("/__mock__/reset")


def test_other_paths_methods_and_web_pages_are_refused(client: httpx.Client) -> None:
    assert client.get("/__mock__/nothing").status_code == 404
    assert client.put("/__mock__/requests").status_code == 405
    assert client.get("/__mock__/requests?wait=long").status_code == 400
    assert client.post("/__mock__/fault").status_code == 400
    for method, path in (("GET", "requests"), ("PUT", "fault"), ("POST", "reset"), ("GET", "")):
        page = client.request(method, f"/__mock__/{path}", headers={"Origin": "https://example.org"})
        assert page.status_code == 403
        assert "access-control-allow-origin" not in page.headers
    assert client.get("/__mock__/requests").json() == []
