"""Names on the Hub: what is in its cache, what the Hub says, and no Hub at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub")

NAME = "someone/tiny"
NOWHERE = "http://127.0.0.1:9"
"""No server listens there."""


def tried(model: str, cache: Path, **environment: str) -> tuple[str, bool]:
    """What is said of a model, and whether torch was loaded: in a process of its own, which reads the variables."""
    code = (
        "import sys\n"
        "from local_dream_reference.errors import UnusableModel\n"
        "from local_dream_reference.engine import create\n"
        "try: print('made', create({'model': sys.argv[1], 'device': 'cpu', 'runtime': 'torch'}).describe().name)\n"
        "except UnusableModel as error: print(error)\n"
        "print('torch' in sys.modules)\n"
    )
    named = {"HF_HUB_CACHE": str(cache), "HF_ENDPOINT": NOWHERE, **environment}
    done = subprocess.run(
        [sys.executable, "-c", code, model], capture_output=True, text=True, env=os.environ | named, timeout=300
    )
    said, torch = done.stdout.strip().splitlines()
    return said, torch == "True"


def put_into_cache(folder: Path, cache: Path) -> Path:
    """Lays a diffusers folder into a cache as the Hub's client does. Answers the snapshot."""
    place = cache / f"models--{NAME.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0123abc")
    return Path(shutil.copytree(folder, place / "snapshots" / "0123abc"))


class Hub(BaseHTTPRequestHandler):
    """Answers as the Hub does for two models, of which one is large."""

    index = json.dumps({"_class_name": "StableDiffusionXLPipeline"}).encode()

    def do_GET(self) -> None:
        self._answer(True)

    def do_HEAD(self) -> None:
        self._answer(False)

    def _answer(self, body: bool) -> None:
        if self.path.startswith("/api/models/someone/large"):
            names = ["model_index.json", "unet/diffusion_pytorch_model.fp16.safetensors"]
            content = json.dumps({"id": "someone/large", "siblings": [{"rfilename": name} for name in names]}).encode()
        elif self.path.startswith("/api/models/someone/gguf"):
            content = json.dumps({"id": "someone/gguf", "siblings": [{"rfilename": "model.gguf"}]}).encode()
        elif self.path == "/someone/large/resolve/main/model_index.json":
            content = self.index
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", '"1"')
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_model_in_the_cache_is_served_without_the_hub(tiny_folder: Path, tmp_path: Path) -> None:
    put_into_cache(tiny_folder, tmp_path)
    assert tried(NAME, tmp_path) == (f"made {NAME}", True)


@pytest.mark.parametrize("offline", ["0", "1"])
def test_without_a_network_one_line_says_how_to_place_the_files(offline: str, tmp_path: Path) -> None:
    said, torch = tried(NAME, tmp_path, HF_HUB_OFFLINE=offline)
    assert "the Hub cannot be reached" in said
    assert f"hf download {NAME} --local-dir FOLDER" in said
    assert not torch


def test_a_download_that_was_interrupted_is_no_model(tiny_folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(put_into_cache(tiny_folder, tmp_path) / "vae")
    said, _ = tried(NAME, tmp_path)
    assert "not whole in the Hub's cache" in said


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("someone/large", "is a StableDiffusionXLPipeline: only"),
        ("someone/gguf", "is not in the layout of diffusers"),
        ("someone/else", "the Hub has no model of that name"),
        ("some one/else", "no name of the Hub"),
    ],
)
def test_what_the_hub_says_comes_before_a_download(name: str, reason: str, hub: str, tmp_path: Path) -> None:
    said, torch = tried(name, tmp_path, HF_ENDPOINT=hub)
    assert reason in said
    assert not torch


@pytest.mark.parametrize("model", ["/nowhere/model", "./nowhere", "nowhere.safetensors", "no-such-name"])
def test_a_wrong_path_is_told_before_torch_is_loaded(model: str, tmp_path: Path) -> None:
    said, torch = tried(model, tmp_path)
    assert "no such folder or file" in said
    assert not torch
