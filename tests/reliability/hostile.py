"""Hostile requests: bytes that are nearly HTTP from bare sockets, and bodies that are nearly right from hypothesis."""

from __future__ import annotations

import base64
import io
import json
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from tests.reliability.served import Served

AT_ONCE = 16
PATIENCE = 0.3
"""Seconds that an answer may take before the next request; many requests have no end, and so no answer."""


def picture(kind: str) -> str:
    """A small picture as base64."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 8), "red").save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


SMALL = {"prompt": "a red house", "steps": 1, "width": 16, "height": 8}


def _post(path: str, body: bytes, *headers: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


SEEDS = (
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    _post("/generate", json.dumps(SMALL).encode(), "Content-Type: application/json"),
    _post("/generate", json.dumps(SMALL | {"image": picture("PNG")}).encode()),
    _post("/generate", json.dumps(SMALL | {"image": picture("JPEG"), "mask": picture("PNG")}).encode()),
    _post("/tokenize", b'{"prompt": "a house"}'),
    _post("/upscale", bytes(12), "X-Image-Width: 2", "X-Image-Height: 2", "X-Upscaler-Path: default"),
    _post("/sdapi/v1/txt2img", json.dumps(SMALL).encode()),
    b'POST /generate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"pro\r\n0\r\n\r\n',
    b"OPTIONS /generate HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    b'PUT /__mock__/script HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n["ok"]',
)
SPICE = (
    *(b"\r\n", b"\n", b"\r", b"\0", b":", b" ", b"\xff", b"%00", b"..", b"{", b"[", b'"', b"\\ud800", b"1e999", b"-1"),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Host: b\r\n"),
    *(
        b"99999999999999999999",
        b"A" * 70_000,
        b"[" * 5000,
        b"HTTP/9.9",
        b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    ),
)


def mutated(chance: random.Random) -> bytes:
    """A request with one to six mistakes, or bytes without any sense."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(1, 400))
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            data[at:at] = chance.choice(SPICE)
        elif kind == 1:
            del data[at : at + chance.randint(1, 30)]
        elif kind == 2 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 3:
            data[at:at] = data[at : at + chance.randint(1, 80)]
        elif chance.random() < 0.2:
            del data[at:]
    return bytes(data) or b"\0"


def from_sockets(server: Served, count: int) -> Counter[str]:
    """Sends mutated requests; answers with how many got which status, none, or a closed connection."""

    def one(number: int) -> str:
        try:
            with server.connect(PATIENCE) as connection:
                connection.sendall(mutated(random.Random(number)))
                answer = connection.recv(65536)
        except TimeoutError:
            return "waits for more"
        except OSError:
            return "closed"
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
        return found[1].decode() if found else "closed"

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(threads.map(one, range(count)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = (
    *("prompt", "negative_prompt", "steps", "cfg", "seed", "width", "height", "size", "aspect_ratio", "scheduler"),
    *("denoise_strength", "image", "mask", "show_diffusion_process", "show_diffusion_stride", "output_format"),
    *("use_opencl", "batch_size", "sampler_name", "init_images", "cfg_scale", "unknown"),
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6).map(lambda sent: SMALL | sent)


def from_hypothesis(server: Served, count: int) -> Counter[str]:
    """Sends JSON bodies in which any field may be anything; answers as `from_sockets`."""
    found: Counter[str] = Counter()
    paths = ("/generate", "/generate", "/tokenize", "/sdapi/v1/txt2img", "/sdapi/v1/img2img")
    with httpx.Client(base_url=server.url, timeout=30) as client:

        @seed(1)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.sampled_from(paths), BODIES)
        def send(path: str, body: dict[str, Any]) -> None:
            sent = json.dumps(body | {"steps": 1} if isinstance(body["steps"], int) else body).encode()
            try:
                found[str(client.post(path, content=sent).status_code)] += 1
            except httpx.TransportError as error:
                found[type(error).__name__] += 1

        send()
    return found
