"""Extension tokenize: POST /tokenize."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from local_dream_mockserver.mock.synthetic import SyntheticEngine
from tests.mockserver.live_server import GatedEngine, serving, small


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(), max_body=10_000) as client:
        yield client


@pytest.mark.parametrize(
    ("prompt", "count"), [("", 2), ("a red house, by the sea", 9), ("lighthouse", 4), ("집 🏠", 4)]
)
def test_the_count(client: httpx.Client, prompt: str, count: int) -> None:
    response = client.post("/tokenize", json={"prompt": prompt, "unknown": 5})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"count": count, "max_length": 77, "overflow_offset": -1}


def test_the_offset_counts_as_java_and_javascript_do(client: httpx.Client) -> None:
    prompt = "🏠 " * 74 + "red cat"
    answer = client.post("/tokenize", json={"prompt": prompt}).json()
    assert answer == {"count": 78, "max_length": 77, "overflow_offset": 3 * 74 + 4}
    cut = prompt.encode("utf-16-le")[: 2 * answer["overflow_offset"]].decode("utf-16-le")
    assert client.post("/tokenize", json={"prompt": cut}).json()["count"] == 77


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, 'the body is empty; send a JSON object with "prompt"'),
        (b'{"prompt": "a', 400, "the body is not JSON"),
        (b"[]", 400, "the body is JSON but not an object"),
        (b"{}", 400, "prompt: missing"),
        (b'{"prompt": 5}', 400, "prompt: not a string"),
        (b'{"prompt": null}', 400, "prompt: not a string"),
        (b'{"prompt": "\\ud800"}', 400, "prompt: not a string of whole characters"),
        (b'{"prompt": "\xff"}', 400, "the body is not UTF-8"),
        (b" " * 10_001, 413, "the body is longer"),
    ],
)
def test_a_refusal_has_a_type_of_its_own(client: httpx.Client, body: bytes, status: int, message: str) -> None:
    response = client.post("/tokenize", content=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["type"] == "tokenize_error"
    assert error["message"].startswith(message)


def test_it_does_not_wait_for_a_generation() -> None:
    engine = GatedEngine()
    with serving(engine) as client, client.stream("POST", "/generate", json=small()):
        assert client.post("/tokenize", json={"prompt": "x"}).status_code == 200
        engine.free.set()


def test_an_engine_that_fails() -> None:
    class Broken(SyntheticEngine):
        def tokenize(self, prompt: str) -> None:  # type: ignore[override]
            raise ValueError(prompt)

    with serving(Broken()) as client:
        response = client.post("/tokenize", json={"prompt": "secret"})
        assert response.status_code == 500
        assert response.json()["error"] == {"message": "the engine failed (ValueError)", "type": "tokenize_error"}


def test_it_is_not_there_without_it_or_without_a_tokenizer() -> None:
    class Wordless(SyntheticEngine):
        tokenize = None  # type: ignore[assignment]

    with serving(SyntheticEngine(), without=frozenset({"tokenize"})) as client:
        assert client.post("/tokenize", json={"prompt": "x"}).status_code == 404
    with serving(Wordless()) as client:
        assert client.post("/tokenize", json={"prompt": "x"}).status_code == 404
