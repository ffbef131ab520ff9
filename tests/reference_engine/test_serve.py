"""`local-dream serve` with a tiny random model and a real upscaler, over a real port."""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from local_dream_conformance.client.generate import generate
from local_dream_conformance.client.upscale import upscale
from local_dream_conformance.run.server_process import SERVERS, ServerProcess
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from local_dream_mockserver.server.engine import Picture as AnyPicture
from local_dream_mockserver.server.engine import Step as AnyStep
from local_dream_reference.engine import SCHEDULERS, ReferenceEngine, build, build_upscaling
from local_dream_reference.options import Options
from tests.mockserver.field_clients import CLIENTS, Made, tokens
from tests.mockserver.live_server import PATIENCE, events_of, serving
from tests.reference_engine.requests import noise
from tests.reference_engine.tiny_model import break_json, save_folder
from tests.reference_engine.upscaling.weights import compact_weights, write

# diffusers 0.42 turns a tensor into an array in a way that numpy 2.4 will not allow for ever.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

MINUTES = 300.0
"""Seconds for what loads torch on a busy machine."""


@pytest.fixture(scope="module")
def upscalers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that resamples and adds nothing, in a folder of its own."""
    weights = compact_weights()
    last = {name: tensor * 0 if name.startswith("body.6") else tensor for name, tensor in weights.items()}
    folder = tmp_path_factory.mktemp("upscalers")
    write(folder / "plain" / "smooth-x4.safetensors", last, header={"skip": "bicubic"})
    return folder


@pytest.fixture(scope="module")
def url(tiny_folder: Path, upscalers: Path) -> Iterator[str]:
    """The server as the suite starts it, but with a tiny model."""
    arguments = (*SERVERS["reference"].arguments, "--threads", "1", "--device", "cpu", "-o", "runtime=torch")
    more = ("--model", str(tiny_folder), "--upscalers", str(upscalers))
    server = ServerProcess("reference", replace(SERVERS["reference"], arguments=(*arguments, *more)))
    try:
        yield server.url
    finally:
        server.stop()


def ask(prompt: str = "a red house", **fields: Any) -> dict[str, Any]:
    return {"prompt": prompt, "steps": 3, "width": 64, "height": 72, "seed": 5} | fields


def picture_of(event: dict[str, Any]) -> NDArray[np.uint8]:
    data = base64.b64decode(event["image"], validate=True)
    return np.frombuffer(data, np.uint8).reshape(72, 64, 3)


def headers(width: int, height: int, path: str = "plain/smooth-x4") -> dict[str, str]:
    return {"X-Image-Width": str(width), "X-Image-Height": str(height), "X-Upscaler-Path": path}


def test_a_whole_generation(url: str) -> None:
    response = httpx.post(f"{url}/generate", json=ask(show_diffusion_process=True), timeout=PATIENCE)
    *progress, complete = events_of(response.text)
    assert [(event["step"], event["total_steps"]) for event in progress] == [(1, 3), (2, 3), (3, 3)]
    assert all(picture_of(event).std() > 0 for event in progress)
    assert (complete["type"], complete["seed"], complete["width"], complete["height"]) == ("complete", 5, 64, 72)
    assert picture_of(complete).std() > 0
    assert 0 < complete["first_step_time_ms"] <= complete["generation_time_ms"]


def test_the_suite_finds_it_conformant(url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = [
        "--profile",
        "all",
        "--size",
        "64x64",
        "--extension",
        f"schedulers={','.join(SCHEDULERS[2:])}",
        "--upscaler-path",
        "default",
        "--json-report",
        str(report),
    ]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--target", url, *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=MINUTES)
    results = json.loads(report.read_text())["requirements"]
    wrong = {result["id"] for result in results if result["verdict"] in {"fail", "warn", "blocked", "error"}}
    # The tiny model's tokens are letters: it sees 75 of them, and the suite's two prompts differ later.
    assert wrong == {"GEN-PIC-10"}, done.stdout
    assert sum(result["verdict"] == "pass" for result in results) > 100


def test_the_suite_finds_the_network_for_snapshots_conformant_too(url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--profile", "hardened", "--upscaler-path", "snapshots-x4", "-k", "UPS", "--json-report", str(report)]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--target", url, *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=MINUTES)
    verdicts = {result["id"]: result["verdict"] for result in json.loads(report.read_text())["requirements"]}
    assert not {name for name, verdict in verdicts.items() if verdict in {"fail", "warn", "blocked", "error"}}, (
        done.stdout
    )
    assert sum(verdict == "pass" for verdict in verdicts.values()) > 20
    assert verdicts["UPS-ANS-07"] == verdicts["UPS-ANS-08"] == "pass"


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_client_of_the_field_gets_its_picture(url: str, client: Callable[[str], Made]) -> None:
    made = client(url)
    assert made.pixels.std() > 0
    assert made.steps[-1][0] == made.steps[-1][1]


def test_the_model_s_own_tokenizer_counts(url: str) -> None:
    assert tokens(url) == (11, 77)  # one for each letter, and the two marks


def test_every_scheduler_has_a_picture_of_its_own(url: str) -> None:
    def image(scheduler: str) -> str:
        body = ask(scheduler=scheduler, output_format="png")
        return str(events_of(httpx.post(f"{url}/generate", json=body, timeout=PATIENCE).text)[-1]["image"])

    assert len({image(scheduler) for scheduler in SCHEDULERS}) == len(SCHEDULERS)


def test_an_upscale_with_a_real_model(url: str) -> None:
    sent = np.asarray(Image.fromarray(noise(5, 4)).resize((40, 50), Image.Resampling.BICUBIC))
    response = httpx.post(f"{url}/upscale", content=sent.tobytes(), headers=headers(40, 50), timeout=PATIENCE)
    assert response.status_code == 200
    assert (response.headers["x-output-width"], response.headers["x-output-height"]) == ("160", "200")
    assert 0 <= int(response.headers["x-duration-ms"]) <= response.elapsed.total_seconds() * 1000
    with Image.open(io.BytesIO(response.content)) as picture:
        back = np.asarray(picture.resize((40, 50), Image.Resampling.BOX))
    assert np.abs(back.astype(int) - sent.astype(int)).mean() < 5


@pytest.mark.parametrize("path", ["nope", "../plain/smooth-x4", "/data/user/0/app/files/upscaler.bin"])
def test_an_unknown_upscaler_is_refused_with_a_list(url: str, path: str) -> None:
    response = httpx.post(f"{url}/upscale", content=bytes(48), headers=headers(4, 4, path), timeout=PATIENCE)
    assert response.status_code == 400
    assert "default" in response.json()["error"]["message"]


def test_the_commands_of_the_client_bring_pictures(url: str, tmp_path: Path) -> None:
    small, large = str(tmp_path / "small.png"), str(tmp_path / "large.jpg")
    options = ["-o", small, "--previews", str(tmp_path / "previews"), "--steps", "3", "--width", "64", "--height", "64"]
    done = CliRunner().invoke(generate, [url, "a red house", *options, "--seed", "7"])
    assert done.output.startswith(f"{small}: 64x64, seed 7, ")
    assert len(list((tmp_path / "previews").iterdir())) == 3
    done = CliRunner().invoke(upscale, [url, small, "-o", large])
    assert done.output.startswith(f"{large}: 256x256, ")
    with Image.open(large) as image:
        assert (image.format, image.size) == ("JPEG", (256, 256))


def test_a_body_that_comes_slowly(url: str) -> None:
    body = noise(16, 16).tobytes()
    sent = iter([body[:100], b"", body[100:]])
    response = httpx.post(f"{url}/upscale", content=sent, headers=headers(16, 16), timeout=PATIENCE)
    assert response.status_code == 200


def test_a_body_that_is_too_long_is_refused_before_it_is_read(url: str) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), PATIENCE) as connection:
        lines = [f"{name}: {value}" for name, value in headers(4, 4).items()]
        connection.sendall("\r\n".join(["POST /upscale HTTP/1.1", "Host: x", *lines]).encode())
        connection.sendall(b"\r\nContent-Length: 999999999999\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_stops_is_given_up(upscalers: Path) -> None:
    engine = build_upscaling(Options(device="cpu", threads=1, upscalers=upscalers))
    with serving(engine, body_idle=0.05) as client:
        parts = urlsplit(str(client.base_url))
        with socket.create_connection((parts.hostname, parts.port), PATIENCE) as connection:
            lines = [f"{name}: {value}" for name, value in headers(4, 4).items()]
            head = ["POST /upscale HTTP/1.1", "Host: x", *lines, "Content-Length: 48", "", ""]
            connection.sendall("\r\n".join(head).encode() + bytes(20))
            assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_any_upscaler_stands_for_a_phone_s(upscalers: Path) -> None:
    engine = build_upscaling(Options(device="cpu", threads=1, upscalers=upscalers, any_upscaler=True))
    with serving(engine) as client:
        phone = headers(4, 4, "/data/user/0/app/files/upscaler.bin")
        assert client.post("/upscale", content=bytes(48), headers=phone).status_code == 200


class Watched:
    """The engine, with its steps counted and with something that happens at each."""

    def __init__(self, engine: ReferenceEngine, at: Callable[[int], None] = lambda step: None) -> None:
        self._engine = engine
        self._at = at
        self.steps: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[AnyStep | AnyPicture]:
        self.steps[request.prompt] = 0
        for made in self._engine.generate(request, cancelled):
            self.steps[request.prompt] += 1
            self._at(self.steps[request.prompt])
            yield made


def test_hanging_up_frees_the_engine(engine: ReferenceEngine) -> None:
    watched = Watched(engine)
    with serving(watched) as client:
        with client.stream("POST", "/generate", json=ask("long", steps=1000)) as response:
            next(response.iter_lines())
        assert events_of(client.post("/generate", json=ask("short")).text)[-1]["type"] == "complete"
    assert watched.steps["short"] == 4
    assert watched.steps["long"] < 1000


def test_a_failing_engine_is_an_error_event_and_the_server_lives_on(
    engine: ReferenceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine._pipelines.run

    def failing(request: Any, on_step: Any) -> Any:
        def breaking(step: int, decode: Any) -> None:
            on_step(step, decode)
            if request.prompt == "break" and step == 2:
                raise MemoryError

        return run(request, breaking)

    monkeypatch.setattr(engine._pipelines, "run", failing)
    with serving(engine) as client:
        events = events_of(client.post("/generate", json=ask("break")).text)
        assert [event["type"] for event in events] == ["progress", "progress", "error"]
        assert events[-1]["message"].startswith("out of memory")
        assert events_of(client.post("/generate", json=ask()).text)[-1]["type"] == "complete"


def test_upscaling_beside_a_generation_changes_neither(tiny_folder: Path, upscalers: Path) -> None:
    engine = build(Options(model=str(tiny_folder), device="cpu", threads=1, upscalers=upscalers))
    body = noise(16, 16).tobytes()
    answers: list[httpx.Response] = []

    def at(step: int) -> None:
        # The generation waits here for the upscale, which can only end because the turn is passed on.
        if step == 1:
            answers.append(httpx.post(f"{url}/upscale", content=body, headers=headers(16, 16), timeout=PATIENCE))

    with serving(engine) as client:
        alone = events_of(client.post("/generate", json=ask()).text)[-1]["image"]
        upscaled = client.post("/upscale", content=body, headers=headers(16, 16)).content
    with serving(Watched(engine, at)) as client:
        url = str(client.base_url).rstrip("/")
        assert events_of(client.post("/generate", json=ask()).text)[-1]["image"] == alone
    assert [answer.content for answer in answers] == [upscaled]


def serve(*options: str) -> subprocess.CompletedProcess[str]:
    code = "from local_dream_conformance.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=MINUTES)


def test_a_model_that_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    broken = save_folder(tmp_path / "broken")
    break_json(broken / "unet" / "config.json")
    done = serve("--model", str(broken))
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: model '")
    assert "cannot be loaded" in line


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--adapters", "/nowhere"), "Error: adapters: /nowhere is not a folder"),
        (("--long-prompts", "chunk", "--runtime", "openvino"), "Error: runtime 'openvino' takes no prompts in chunks"),
    ],
)
def test_what_the_engine_cannot_do_is_one_line(options: tuple[str, ...], reason: str, tiny_folder: Path) -> None:
    done = serve("--model", str(tiny_folder), *options)
    [line] = done.stderr.splitlines()
    assert line.startswith(reason)
    assert (done.returncode, done.stdout) == (1, "")


def test_upscaling_alone(upscalers: Path) -> None:
    arguments = ("--port", "0", "--no-generate", "--device", "cpu", "--upscalers", str(upscalers))
    server = ServerProcess("reference", replace(SERVERS["reference"], arguments=arguments))
    try:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            assert client.get("/health").status_code == 200
            refused = client.post("/generate", json=ask())
            assert (refused.status_code, refused.json()["error"]["type"]) == (404, "request_error")
            assert client.post("/upscale", content=bytes(48), headers=headers(4, 4)).status_code == 200
    finally:
        server.stop()
