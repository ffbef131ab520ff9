"""The clients of the field against the mock, young and old, and a page in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.extensions.catalogue import NAMES
from tests.conformance.report.chromium import chromium, complaints
from tests.mockserver.field_clients import CLIENTS, Made, is_there, line_reader, tokens
from tests.mockserver.live_server import running, small


def engine() -> SyntheticEngine:
    return SyntheticEngine(Pacing(first=0, step=0))


def release(name: str) -> Starlette:
    personality = personalities()[name]
    settings = ServerSettings(without=frozenset(personality.without))
    alteration = personality.make()
    return create_faulty_app(engine(), settings, lambda scope: alteration)


SERVERS: dict[str, Callable[[], Starlette]] = {
    "mock": lambda: create_app(engine()),
    "core": lambda: create_app(engine(), ServerSettings(without=frozenset(NAMES))),
    "2.4": partial(release, "2.4"),
    "2.7": partial(release, "2.7"),
}


@pytest.fixture(params=SERVERS, scope="module")
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with running(SERVERS[request.param]()) as url:
        yield url


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_client_gets_its_picture(url: str, client: Callable[[str], Made]) -> None:
    made = client(url)
    assert made.pixels.std() > 0
    assert made.seed in {11, 12, 13, 14}
    assert made.steps[-1][0] == made.steps[-1][1]


def test_size_overrides_where_it_is_known(url: str) -> None:
    assert line_reader(url).pixels.shape == (72, 72, 3)


def test_a_probe_of_the_root_finds_a_server(url: str) -> None:
    assert is_there(url)


def test_a_probe_of_tokenize_gets_a_count_or_knows_that_there_is_none(url: str) -> None:
    count, most = tokens(url)
    assert 0 < count < most == 77


def test_seed_minus_one_is_refused_with_the_remedy() -> None:
    with running(create_app(engine())) as url:
        response = httpx.post(f"{url}/generate", json=small(seed=-1))
        assert response.status_code == 400
        message = response.json()["error"]["message"]
        assert message == "seed: -1 is out of range; send an integer from 0 to 4294967295, or leave it out and the " + (
            "server picks one"
        )


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def a_page(folder: Path) -> Iterator[str]:
    """An origin of its own with an empty page."""
    (folder / "index.html").write_text("<!doctype html><link rel=icon href=data:,><title>page</title>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


PAGE = """
const [url, type, done] = arguments;
(async () => {
  const body = JSON.stringify({prompt: 'a house', steps: 3, width: 16, height: 8, seed: 5, output_format: 'png'});
  const generated = await fetch(url + '/generate', {method: 'POST', headers: {'Content-Type': type}, body});
  const reader = generated.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let piece; !(piece = await reader.read()).done;) text += piece.value;
  const events = text.split('\\n\\n').filter(Boolean).map(block => JSON.parse(block.split('data: ')[1]));
  const picture = new Image();
  picture.src = 'data:image/png;base64,' + events.at(-1).image;
  await picture.decode();
  const headers = {'X-Image-Width': '4', 'X-Image-Height': '3', 'X-Upscaler-Path': 'default', 'X-Use-OpenCL': '1'};
  const upscaled = await fetch(url + '/upscale', {method: 'POST', headers, body: new Uint8Array(36)});
  const refused = await fetch(url + '/generate', {method: 'POST', body: '{}'});
  return {
    types: events.map(event => event.type),
    picture: [picture.naturalWidth, picture.naturalHeight],
    upscaled: [upscaled.status, upscaled.headers.get('X-Output-Width'), (await upscaled.blob()).type],
    refused: [refused.status, (await refused.json()).error.type],
  };
})().then(done, error => done(String(error)));
"""


def test_a_page_of_another_origin(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    with (
        running(create_app(engine())) as url,
        running(create_app(engine(), ServerSettings(without=frozenset({"cors"})))) as closed,
        a_page(tmp_path / "page") as page,
        chromium(tmp_path / "profile") as window,
    ):
        window.get(page)
        for kind in ("application/json", "text/plain"):
            assert window.execute_async_script(PAGE, url, kind) == {
                "types": ["progress"] * 3 + ["complete"],
                "picture": [16, 8],
                "upscaled": [200, "16", "image/jpeg"],
                "refused": [400, "request_error"],
            }
        assert not [line for line in complaints(window) if "400" not in line]
        assert "Failed to fetch" in window.execute_async_script(PAGE, closed, "application/json")
