"""POST /upscale over a real port."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.engine import EngineError
from tests.mockserver.live_server import PATIENCE, GatedEngine, serving

GOOD = {"X-Image-Width": "4", "X-Image-Height": "3", "X-Upscaler-Path": "default"}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(), max_body=100_000) as client:
        yield client


def card(width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Four corners of four colours: any flip, swap of channels or of sides shows."""
    rows, columns = np.mgrid[0:height, 0:width]
    top, left = rows < height / 2, columns < width / 2
    colours = np.array([[220, 30, 30], [30, 200, 40], [40, 40, 210], [230, 220, 60]], dtype=np.uint8)
    return colours[np.where(top, np.where(left, 0, 1), np.where(left, 2, 3))]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (17, 13), (48, 48), (90, 5), (5, 90)])
@pytest.mark.parametrize("flag", [None, "true", "1", "false", "0"])
def test_four_times_the_picture_as_jpeg(client: httpx.Client, width: int, height: int, flag: str | None) -> None:
    sent = card(width, height)
    headers = {"X-Image-Width": str(width), "X-Image-Height": str(height), "X-Upscaler-Path": "lanczos-x4.bin"}
    headers |= {} if flag is None else {"X-Use-OpenCL": flag}
    response = client.post("/upscale", content=sent.tobytes(), headers=headers)
    assert response.status_code == 200
    assert response.headers.get_list("content-type") == ["image/jpeg"]
    assert (response.headers["x-output-width"], response.headers["x-output-height"]) == (
        str(4 * width),
        str(4 * height),
    )
    assert 0 <= int(response.headers["x-duration-ms"]) <= response.elapsed.total_seconds() * 1000
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (4 * width, 4 * height))
        assert picture.layer == [(1, 1, 1, 0), (2, 1, 1, 1), (3, 1, 1, 1)]  # type: ignore[attr-defined]  # of JPEG files
        back = np.asarray(picture.resize((width, height), Image.Resampling.BOX))
    assert np.abs(back.astype(int) - sent.astype(int)).mean() < 12


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X-Image-Width": None}, "X-Image-Width: missing"),
        ({"X-Image-Height": None}, "X-Image-Height: missing"),
        ({"X-Upscaler-Path": None}, "X-Upscaler-Path: missing"),
        ({"X-Upscaler-Path": ""}, "X-Upscaler-Path: missing"),
        ({"X-Upscaler-Path": "x" * 5000}, "X-Upscaler-Path: longer than 4096"),
        ({"X-Upscaler-Path": "/etc/passwd"}, "X-Upscaler-Path: no such model; use one of default"),
        ({"X-Upscaler-Path": "../../etc/passwd"}, "X-Upscaler-Path: no such model"),
        *[
            ({"X-Image-Width": value}, "X-Image-Width: not a whole number from 1 to 4096")
            for value in (
                "abc",
                "12abc",
                "4.0",
                "0",
                "-4",
                "+4",
                "4 4",
                "0x4",
                "4097",
                "99999999999",
                "9" * 5000,
                "\u00b2",
            )
        ],
        ({"X-Image-Width": "4096", "X-Image-Height": "4096"}, "X-Image-Width, X-Image-Height: 4096x4096 is more than"),
        ({"X-Image-Width": "5"}, "body: 36 bytes where X-Image-Width x X-Image-Height x 3 = 5 x 3 x 3 = 45"),
        ({"X-Image-Height": "2"}, "body: 36 bytes where"),
        ({"X-Use-OpenCL": "maybe"}, "X-Use-OpenCL: not a boolean"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_refusal_names_the_header_and_the_fix(
    client: httpx.Client, changes: dict[str, str | None], message: str
) -> None:
    sent = {name: value for name, value in (GOOD | changes).items() if value is not None}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    response = client.post("/upscale", content=bytes(36), headers=headers)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "request_error"
    assert error["message"].startswith(message)
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("length", [0, 35, 37, 36 * 5])
def test_a_body_of_another_length_is_refused(client: httpx.Client, length: int, chunked: bool) -> None:
    content = iter([bytes(length)]) if chunked else bytes(length)
    response = client.post("/upscale", content=content, headers=GOOD)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(f"body: {length} bytes where")


def test_a_header_sent_twice_is_refused(client: httpx.Client) -> None:
    headers = [*GOOD.items(), ("X-Image-Width", "5")]
    response = client.post("/upscale", content=bytes(36), headers=headers)
    assert response.json()["error"]["message"] == "X-Image-Width: sent 2 times; send it once"


def test_a_chunked_body_will_do(client: httpx.Client) -> None:
    assert client.post("/upscale", content=iter([bytes(30), bytes(6)]), headers=GOOD).status_code == 200


def test_a_body_too_long_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    url = urlsplit(str(client.base_url))
    with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
        lines = [f"{name}: {value}" for name, value in GOOD.items()]
        head = ["POST /upscale HTTP/1.1", "Host: x", *lines, "Content-Length: 100001", "", ""]
        connection.sendall("\r\n".join(head).encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_an_engine_that_fails() -> None:
    class Broken(SyntheticEngine):
        def upscale(self, *args: Any) -> Any:
            raise EngineError("out of memory")

    with serving(Broken()) as client:
        response = client.post("/upscale", content=bytes(36), headers=GOOD)
        assert response.status_code == 500
        assert response.json() == {"error": {"message": "out of memory", "type": "server_error"}}
        assert client.get("/health").status_code == 200


def test_hanging_up_frees_the_engine() -> None:
    engine = GatedEngine()
    with serving(engine) as client:
        url = urlsplit(str(client.base_url))
        with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
            lines = [f"{name}: {value}" for name, value in GOOD.items()]
            head = ["POST /upscale HTTP/1.1", "Host: x", *lines, "Content-Length: 36", "", ""]
            connection.sendall("\r\n".join(head).encode() + bytes(36))
            engine.wait_for(lambda: engine.began == ["upscale"])
        engine.wait_for(lambda: engine.ended == ["upscale"])
        engine.may_upscale.set()
        assert client.post("/upscale", content=bytes(36), headers=GOOD).status_code == 200


class Named(SyntheticEngine):
    """Keeps the names that clients ask for."""

    def __init__(self) -> None:
        super().__init__(any_upscaler=True)
        self.asked: list[str] = []

    def resolve_upscaler(self, path: str) -> str:
        self.asked.append(path)
        return super().resolve_upscaler(path)


@pytest.mark.parametrize(
    ("sent", "read"),
    [("超分/é".encode(), "超分/é"), ("é".encode("latin-1"), "é"), (b"plain", "plain"), (b"\xe8\xb6", "\xe8\xb6")],
)
def test_a_path_beyond_ascii_is_utf_8_and_else_what_it_was(sent: bytes, read: str) -> None:
    engine = Named()
    headers = [(name.encode(), value.encode()) for name, value in GOOD.items() if name != "X-Upscaler-Path"]
    with serving(engine) as client:
        answer = client.post("/upscale", content=bytes(36), headers=[*headers, (b"X-Upscaler-Path", sent)])
    assert answer.status_code == 200
    assert engine.asked == [read]
