"""The recordings in tests/recordings as exchanges, under the labels that the checks read."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import h11

from conformance.transcript import End, Exchange, Read, Request

FOLDER = Path(__file__).parent.parent / "recordings"
RELEASES = ("local-dream-2.4.3", "local-dream-2.7")

LABELS = {
    "health": "health/get",
    "unknown-path": "health/unknown-path",
    "prompt-missing": "refuse/prompt-missing",
    "prompt-empty": "refuse/prompt-empty",
    "body-empty": "refuse/body-empty",
    "json-malformed": "refuse/json-malformed",
    "json-array": "refuse/json-array",
    "prompt-number": "refuse/type/prompt-number",
    "steps-string": "refuse/type/steps-string",
    "image-not-base64": "refuse-image/image-not-base64",
    "image-not-an-image": "refuse-image/image-not-an-image",
    "image-null": "hang-up/null-image",
    "mask-without-image": "range/mask-without-image",
    "txt2img-previews-stride-1": "base",
    "txt2img-same-again": "repeat",
    "txt2img-previews-stride-2": "recorded/stride-2",
    "txt2img": "recorded/txt2img",
    "txt2img-euler-a": "recorded/euler-a",
    "txt2img-no-seed": "recorded/no-seed",
    "txt2img-output-png": "recorded/output-png",
    "unknown-field": "recorded/unknown-field",
    "img2img": "recorded/img2img",
    "inpaint": "recorded/inpaint",
    "upscale-16x12": "upscale/odd",
    "upscale-no-width": "upscale-refuse/width-missing",
    "upscale-no-path": "upscale-refuse/path-missing",
    "upscale-width-abc": "upscale-refuse/width-not-a-number",
    "upscale-short-body": "upscale-refuse/body-short",
    "upscale-missing-model": "upscale-refuse/path-unknown",
}
"""Label of each recorded case. The `recorded/` labels are further streams of their release beside the suite's own."""

ONLY_IN = {"options": ("health/wrong-method-generate", "local-dream-2.4.3")}
"""Where 2.7 answers OPTIONS it is a CORS preflight, a method that the path has."""


def release(name: str) -> dict[str, Exchange]:
    """All exchanges of a recorded release by label."""
    found: dict[str, Exchange] = {}
    for index, path in enumerate(sorted((FOLDER / name).glob("*.json"))):
        label = LABELS.get(path.stem)
        if path.stem in ONLY_IN:
            label = ONLY_IN[path.stem][0] if ONLY_IN[path.stem][1] == name else None
        elif label is None:
            raise LookupError(f"{path.name} has no label")
        if label is not None:
            found[label] = _exchange(label, json.loads(path.read_bytes()), float(index))
    return found


def _exchange(label: str, case: dict[str, Any], started: float) -> Exchange:
    request = _request(base64.b64decode(case["request"]))
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=request.method, target=request.target, headers=[("Host", "recorded")]))
    client.send(h11.EndOfMessage())
    status, reason, headers, head_at = None, "", (), None
    reads: list[Read] = []
    end, ended_at = End.TRUNCATED, 0.0
    for milliseconds, coded in case["response_reads"]:
        ended_at = milliseconds / 1000
        client.receive_data(base64.b64decode(coded))
        while (event := client.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.Response):
                status, reason, head_at = event.status_code, bytes(event.reason).decode("latin-1"), ended_at
                headers = tuple((key.decode(), value.decode()) for key, value in event.headers.raw_items())
            elif isinstance(event, h11.Data):
                reads.append(Read(ended_at, bytes(event.data)))
            elif isinstance(event, h11.EndOfMessage):
                end = End.COMPLETE
                break
        if end is End.COMPLETE:
            break
    return Exchange(label, request, started, end, ended_at, status, reason, "HTTP/1.1", headers, head_at, tuple(reads))


def _request(wire: bytes) -> Request:
    server = h11.Connection(h11.SERVER)
    server.receive_data(wire)
    head = server.next_event()
    assert isinstance(head, h11.Request)
    body = bytearray()
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    headers = tuple((key.decode(), value.decode()) for key, value in head.headers.raw_items())
    return Request(head.method.decode(), head.target.decode(), headers, bytes(body))
