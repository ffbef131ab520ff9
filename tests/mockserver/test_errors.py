"""Refusals carry a code and a field for programs inside the server, and clients see nothing of them."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import local_dream_mockserver.server
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.strict_json import read_object
from tests.mockserver.test_request_reader import READER

SERVER = Path(local_dream_mockserver.server.__path__[0])


def test_every_refusal_of_the_server_has_a_code() -> None:
    calls = [
        (path.name, node)
        for path in SERVER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("APIError", "TokenizeProblem")
    ]
    assert len(calls) > 40
    for name, call in calls:
        assert "code" in {keyword.arg for keyword in call.keywords}, f"{name}:{call.lineno}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b" ", Code.EMPTY),
        (b"\xff", Code.NOT_UTF8),
        (b"{", Code.MALFORMED_JSON),
        (b"{} {}", Code.JSON_TAIL),
        (b'{"cfg": NaN}', Code.JSON_CONSTANT),
        (b"[" * 100_000, Code.JSON_TOO_DEEP),
        (b"[]", Code.NOT_AN_OBJECT),
    ],
)
def test_codes_of_bodies(body: bytes, code: Code) -> None:
    with pytest.raises(APIError) as raised:
        read_object(body)
    assert (raised.value.code, raised.value.field) == (code, "body")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, Code.MISSING, "prompt"),
        ({"prompt": ""}, Code.EMPTY, "prompt"),
        ({"prompt": "x", "steps": "5"}, Code.WRONG_TYPE, "steps"),
        ({"prompt": "x", "steps": 0}, Code.OUT_OF_RANGE, "steps"),
        ({"prompt": "x", "scheduler": "ddim"}, Code.OUT_OF_RANGE, "scheduler"),
        ({"prompt": "x", "mask": "aaaa"}, Code.MISSING, "image"),
        ({"prompt": "x", "image": "?"}, Code.NOT_BASE64, "image"),
        ({"prompt": "x", "image": "aaaa"}, Code.NOT_A_PICTURE, "image"),
        ({"prompt": "\ud800"}, Code.NOT_TEXT, "prompt"),
    ],
)
def test_codes_of_fields(fields: dict[str, object], code: Code, field: str) -> None:
    with pytest.raises(APIError) as raised:
        READER.read(json.dumps(fields).encode())
    assert (raised.value.code, raised.value.field) == (code, field)


def test_code_and_field_are_no_part_of_the_answer() -> None:
    plain, known = APIError(400, "steps: no"), APIError(400, "steps: no", code=Code.OUT_OF_RANGE, field="steps")
    assert known.body() == plain.body()
    assert known.response().raw_headers == plain.response().raw_headers
