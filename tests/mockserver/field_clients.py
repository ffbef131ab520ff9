"""Clients as they are in the field: each makes a whole generation in its own way, and raises where that fails.

Each is written as its authors wrote theirs, habits included: none of them is a decoder of server-sent events.
"""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

PATIENCE = 60.0
SIZE = (72, 64)
"""Width and height of what they ask for."""


@dataclass(frozen=True)
class Made:
    """What a client showed its user. `pixels` has shape (height, width, 3)."""

    pixels: NDArray[np.uint8]
    seed: int
    steps: list[tuple[int, int]]


def reshaped(image: str, width: int, height: int) -> NDArray[np.uint8]:
    """Takes the bytes for raw RGB, whatever they are."""
    return np.frombuffer(base64.b64decode(image), dtype=np.uint8).reshape((height, width, 3))


def line_reader(url: str) -> Made:
    """A web UI's proxy: sends everything that it has a control for, reads lines, looks at `data: ` lines only, and goes
    by `type`."""
    body = {
        "prompt": "a lighthouse on a cliff",
        "negative_prompt": "blurry",
        "steps": 4,
        "cfg": 7.0,
        "use_cfg": True,
        "seed": 11,
        "size": SIZE[0],
        "width": SIZE[0],
        "height": SIZE[0],
        "scheduler": "dpm",
        "denoise_strength": 0.6,
        "use_opencl": False,
        "show_diffusion_process": False,
        "show_diffusion_stride": 0,
        "init_image": None,
    }
    steps: list[tuple[int, int]] = []
    with httpx.stream("POST", f"{url}/generate", json=body, timeout=PATIENCE) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if not line.startswith("data: "):
                continue
            data = json.loads(line[6:])
            if data["type"] == "progress":
                steps.append((data["step"], data["total_steps"]))
            elif data["type"] == "complete":
                pixels = reshaped(data["image"], data["width"], data["height"])
                return Made(pixels, data["seed"], steps)
            elif data["type"] == "error":
                raise RuntimeError(data["message"])
    raise RuntimeError("the stream ended without a picture")


def block_reader(url: str) -> Made:
    """A chat plugin: reads the whole answer, splits it at blank lines, wants `event: complete` as a block's first
    line."""
    body = {"prompt": "a red house by the sea", "steps": 3, "width": SIZE[0], "height": SIZE[1], "seed": 12}
    response = httpx.post(f"{url}/generate", json=body, timeout=PATIENCE)
    blocks = response.text.split("\n\n")
    steps = [
        (data["step"], data["total_steps"])
        for block in blocks
        if block.startswith("event: progress")
        for data in [json.loads(block.split("data: ", 1)[1])]
    ]
    [complete] = [block for block in blocks if block.startswith("event: complete\ndata: ")]
    data = json.loads(complete.removeprefix("event: complete\ndata: "))
    return Made(reshaped(data["image"], *SIZE), data["seed"], steps)


def app(url: str) -> Made:
    """A phone's app: raw socket, reads byte by byte until a line end, keeps the last `event:` in mind, asks for
    previews as JPEG and takes them raw where the server has no formats."""
    body: dict[str, Any] = {
        "prompt": "boats at night",
        "steps": 3,
        "width": SIZE[0],
        "height": SIZE[1],
        "seed": 13,
        "show_diffusion_process": True,
        "show_diffusion_stride": 2,
        "preview_format": "jpeg",
    }
    parts = urlsplit(url)
    text = json.dumps(body)
    head = ["POST /generate HTTP/1.0", f"Host: {parts.netloc}", "Content-Type: application/json; charset=utf-8"]
    request = "\r\n".join([*head, f"Content-Length: {len(text)}", "", text])
    steps: list[tuple[int, int]] = []
    kind = ""
    with socket.create_connection((parts.hostname, parts.port), PATIENCE) as connection:
        connection.sendall(request.encode())
        for line in connection.makefile("r", encoding="utf-8", newline="\n"):
            if line.startswith("event: "):
                kind = line[7:].strip()
            elif line.startswith("data: "):
                data = json.loads(line[6:])
                if kind == "progress":
                    steps.append((data["step"], data["total_steps"]))
                    if data.get("format") == "jpeg":
                        assert base64.b64decode(data["image"]).startswith(b"\xff\xd8\xff")
                    elif "image" in data:
                        reshaped(data["image"], *SIZE)
                elif kind == "complete":
                    return Made(reshaped(data["image"], data["width"], data["height"]), data["seed"], steps)
                else:
                    raise RuntimeError(data["message"])
    raise RuntimeError("the stream ended without a picture")


def plain_poster(url: str) -> Made:
    """A script that never heard of content types: JSON as text/plain, the picture's size from the answer."""
    text = json.dumps({"prompt": "a snowy hill", "steps": 2, "width": SIZE[0], "height": SIZE[1], "seed": 14})
    headers = {"Content-Type": "text/plain;charset=UTF-8"}
    response = httpx.post(f"{url}/generate", content=text, headers=headers, timeout=PATIENCE)
    events = [json.loads(line[5:]) for line in response.text.splitlines() if line.startswith("data:")]
    *before, last = events
    pixels = reshaped(last["image"], last["width"], last["height"])
    return Made(pixels, last["seed"], [(event["step"], event["total_steps"]) for event in before])


CLIENTS = (line_reader, block_reader, app, plain_poster)


def is_there(url: str) -> bool:
    """A probe of the root: whatever answers is taken for a server."""
    return httpx.get(f"{url}/", timeout=PATIENCE).status_code < 500


def tokens(url: str) -> tuple[int, int]:
    """A library's probe of /tokenize: (count, most), or an estimate where the server has none."""
    response = httpx.post(f"{url}/tokenize", json={"prompt": "a red house"}, timeout=PATIENCE)
    if response.status_code != 200:
        return len("a red house") // 4, 77
    return int(response.json()["count"]), int(response.json()["max_length"])
