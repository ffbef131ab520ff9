from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from jsonschema import Draft202012Validator

from local_dream_conformance.cli import main
from local_dream_conformance.core.exchange import End, Exchange, Read, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import Kept, Recording

NAMED: dict[str, Any] = {
    "type": "object",
    "required": ["name", "value"],
    "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
}
PAIRS: dict[str, Any] = {"type": "array", "items": NAMED}
SIZE: dict[str, Any] = {"type": "integer", "minimum": -1}
MILLISECONDS: dict[str, Any] = {"type": "number", "minimum": -1}
MESSAGE: dict[str, Any] = {
    "httpVersion": {"type": "string", "pattern": "^HTTP/[0-9.]+$"},
    "cookies": PAIRS,
    "headers": PAIRS,
    "headersSize": SIZE,
    "bodySize": SIZE,
    "comment": {"type": "string"},
}


def closed(properties: dict[str, Any], optional: tuple[str, ...] = ("comment",)) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


REQUEST = closed(
    {
        "method": {"type": "string", "minLength": 1},
        "url": {"type": "string", "pattern": "^https?://[^/]+/"},
        "queryString": PAIRS,
        "postData": {
            "type": "object",
            "required": ["mimeType"],
            "properties": {"mimeType": {"type": "string"}, "text": {"type": "string"}, "comment": {"type": "string"}},
            "additionalProperties": False,
        },
        **MESSAGE,
    },
    ("comment", "postData"),
)
CONTENT = closed(
    {
        "size": {"type": "integer", "minimum": 0},
        "mimeType": {"type": "string"},
        "text": {"type": "string"},
        "encoding": {"const": "base64"},
    },
    ("encoding", "text"),
)
RESPONSE = closed(
    {
        "status": {"type": "integer"},
        "statusText": {"type": "string"},
        "content": CONTENT,
        "redirectURL": {"type": "string"},
        **MESSAGE,
    }
)
TIMINGS = closed(
    dict.fromkeys(("blocked", "dns", "connect", "send", "wait", "receive", "ssl", "comment"), MILLISECONDS),
    ("blocked", "dns", "connect", "ssl", "comment"),
)
CREATOR = closed({"name": {"type": "string"}, "version": {"type": "string"}, "comment": {"type": "string"}})
ENTRY = closed(
    {
        "startedDateTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "time": {"type": "number", "minimum": 0},
        "request": REQUEST,
        "response": RESPONSE,
        "cache": {"type": "object", "maxProperties": 0},
        "timings": TIMINGS,
        "comment": {"type": "string"},
    }
)
LOG = closed(
    {"version": {"const": "1.2"}, "creator": CREATOR, "browser": CREATOR, "entries": {"type": "array", "items": ENTRY}},
    ("browser",),
)
HAR = Draft202012Validator(closed({"log": LOG}))
"""The shape of HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), as far as this writer uses it."""

JPEG = b"\xff\xd8\xff\x00"
HEAD = Recording(
    "0.1",
    "1.0",
    "2026-01-02T03:04:05+00:00",
    Settings("http://127.0.0.1:8081/api"),
    (Kept("base", "made"), Kept("upscale", "made"), Kept("hostile", "made")),
)
GENERATE = Exchange(
    "base",
    Request("POST", "/api/generate?a=1&b=", (("Content-Type", "application/json"),), b'{"prompt": "x"}'),
    1.25,
    End.COMPLETE,
    0.5,
    200,
    "OK",
    "1.1",
    (("Content-Type", "text/event-stream"),),
    0.1,
    (Read(0.2, b"event: x\n\n"),),
)
UPSCALE = replace(
    GENERATE,
    label="upscale/odd",
    request=Request("POST", "/api/upscale", (), b"\x00\xff"),
    headers=(("Content-Type", "image/jpeg"),),
    reads=(Read(0.2, JPEG),),
)
SILENT = Exchange("hostile/json-deep", Request("GET", "/"), 2.0, End.RESET, 0.25, detail="reset by peer")
RAW = Exchange("hostile/request-line", Request("", "", (), b"\x00"), 3.0, End.COMPLETE, 0.1, 400)


def test_a_recording_becomes_har(tmp_path: Path) -> None:
    made = [Transcript("base", (GENERATE,)), Transcript("upscale", (UPSCALE,)), Transcript("hostile", (SILENT, RAW))]
    recording.write(tmp_path / "kept", HEAD, made)
    result = CliRunner().invoke(main, ["har", str(tmp_path / "kept"), "-o", str(tmp_path / "kept.har")])
    assert result.exit_code == 0
    assert result.stderr == "left out, since their request is no HTTP: 1 of 4 exchanges\n"
    document = json.loads((tmp_path / "kept.har").read_text(encoding="utf-8"))
    assert list(HAR.iter_errors(document)) == []
    first, second, third = document["log"]["entries"]
    assert first["startedDateTime"] == "2026-01-02T03:04:06.250000+00:00"
    assert (first["time"], first["timings"]["wait"], first["timings"]["receive"]) == (500.0, 100.0, 400.0)
    assert first["request"]["url"] == "http://127.0.0.1:8081/api/generate?a=1&b="
    assert first["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert first["request"]["postData"] == {"mimeType": "application/json", "text": '{"prompt": "x"}'}
    assert first["response"]["content"]["text"] == "event: x\n\n"
    assert base64.b64decode(second["response"]["content"]["text"]) == JPEG
    assert "text" not in second["request"]["postData"]
    assert (third["response"]["status"], third["response"]["comment"]) == (0, "reset: reset by peer")


def test_what_is_no_recording(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["har", str(tmp_path)])
    assert result.exit_code == 2
    assert "is no recording" in result.output
