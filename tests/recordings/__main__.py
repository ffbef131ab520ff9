"""Makes a recording of raw cases: `python -m tests.recordings RAW_FOLDER FOLDER`.

A raw case is a JSON file: `request` (the whole request in base64), `response_reads` (a pair for each read of the
socket: milliseconds since the request was sent, and the bytes in base64) and `ended`. Its file name is the case's.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h11

from local_dream_conformance.core import contract
from local_dream_conformance.core.exchange import End, Exchange, Read, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import Kept, Recording

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
    "txt2img-output-png": "formats/png",
    "unknown-field": "recorded/unknown-field",
    "img2img": "recorded/img2img",
    "inpaint": "recorded/inpaint",
    "options": "cors/preflight-generate",
    "upscale-16x12": "upscale/odd",
    "upscale-no-width": "upscale-refuse/width-missing",
    "upscale-no-path": "upscale-refuse/path-missing",
    "upscale-width-abc": "upscale-refuse/width-not-a-number",
    "upscale-short-body": "upscale-refuse/body-short",
    "upscale-missing-model": "upscale-refuse/path-unknown",
}
"""Label of each case. The `recorded/` labels are further streams of their release beside the suite's own."""
METHOD_UNKNOWN = "health/wrong-method-generate"
"""A second label of OPTIONS where that is a method which the path does not have."""
CONTENT = (*(f"GEN-PIC-{number:02}" for number in range(7, 15)), "UPS-ANS-07")
STAND_IN = "the pictures are those of a stand-in for the engine, and their content means nothing"


def convert(raw: Path, folder: Path) -> None:
    """Writes the raw cases of a folder as a recording. Raises LookupError for a case without a label."""
    exchanges = [_exchange(path, float(number)) for number, path in enumerate(sorted(raw.glob("*.json")))]
    exchanges += [
        replace(exchange, label=METHOD_UNKNOWN)
        for exchange in exchanges
        if exchange.request.method == "OPTIONS" and exchange.status in (404, 405)
    ]
    scenarios: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        scenarios.setdefault(exchange.label.partition("/")[0], []).append(exchange)
    host = exchanges[0].request.header("host")
    upscaler = next((found for e in exchanges if (found := e.request.header("x-upscaler-path"))), None)
    head = Recording(
        suite_version="raw cases",
        contract_version=contract.load().version,
        started="",
        settings=Settings(f"http://{host}", profile="hardened", upscaler_path=upscaler),
        scenarios=tuple(Kept(name, "made") for name in scenarios),
        partial=True,
        untested=dict.fromkeys(CONTENT, STAND_IN),
        note=f"{raw.name}, run on a PC with a stand-in for the picture engine: the pixels and the times mean nothing.",
    )
    recording.claim(folder)
    recording.write(folder, head, [Transcript(name, tuple(members)) for name, members in scenarios.items()])


def _exchange(path: Path, started: float) -> Exchange:
    case: Mapping[str, Any] = json.loads(path.read_bytes())
    if path.stem not in LABELS:
        raise LookupError(f"{path} has no label")
    label = LABELS[path.stem]
    request = _request(base64.b64decode(case["request"]))
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=request.method, target=request.target, headers=[("Host", "recorded")]))
    client.send(h11.EndOfMessage())
    status, reason, head_at = None, "", None
    headers: tuple[tuple[str, str], ...] = ()
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


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
