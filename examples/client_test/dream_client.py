"""A small client of the Local Dream API, with httpx and httpx-sse: one picture, and a word on each step."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from httpx_sse import SSEError, connect_sse


class NoPicture(Exception):
    """The server did not give a picture; the message says why."""


@dataclass(frozen=True)
class Picture:
    """`rgb` is width * height * 3 bytes, row by row."""

    rgb: bytes
    width: int
    height: int
    seed: int


def paint(url: str, prompt: str, on_step: Callable[[int, int], object] | None = None, **fields: object) -> Picture:
    """`on_step(step, total_steps)` is called for each progress event. A busy server is asked again, three times in all.
    Raises NoPicture."""
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            for _ in range(3):
                with connect_sse(client, "POST", "/generate", json={"prompt": prompt, **fields}) as source:
                    answer = source.response
                    if answer.status_code == 503:
                        time.sleep(int(answer.headers.get("Retry-After", "1")))
                        continue
                    if answer.status_code != 200:
                        raise NoPicture(json.loads(answer.read())["error"]["message"])
                    for event in source.iter_sse():
                        data = event.json()
                        if event.event == "progress" and on_step is not None:
                            on_step(data["step"], data["total_steps"])
                        elif event.event == "error":
                            raise NoPicture(data["message"])
                        elif event.event == "complete":
                            rgb = base64.b64decode(data["image"], validate=True)
                            if len(rgb) != data["width"] * data["height"] * 3:
                                raise NoPicture("the picture has not the size that the server says")
                            return Picture(rgb, data["width"], data["height"], data["seed"])
                    raise NoPicture("the stream ended without a picture")
            raise NoPicture("the server is busy")
    except (httpx.HTTPError, SSEError, ValueError, KeyError, TypeError) as error:
        raise NoPicture(f"the server cannot be understood: {type(error).__name__}") from error
