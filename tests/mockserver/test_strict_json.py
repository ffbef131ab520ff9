"""JSON bodies that are refused, and why."""

from __future__ import annotations

import pytest

from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.strict_json import read_object


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body is empty"),
        (b" \n", "body is empty"),
        (b"{", "not JSON: .* line 1, column 2"),
        (b'{"prompt": "x"} x', "not JSON"),
        (b"{'prompt': 'x'}", "not JSON"),
        (b'{"prompt": "x",}', "not JSON"),
        (b'{"prompt": "a\nb"}', "not JSON"),
        (b"[]", "not an object"),
        (b'"prompt"', "not an object"),
        (b"null", "not an object"),
        (b"17", "not an object"),
        (b'{"prompt": "\xff"}', "not UTF-8: byte 12"),
        ('{"prompt": "x"}'.encode("utf-16"), "not UTF-8"),
        (b'{"cfg": NaN}', "NaN"),
        (b'{"cfg": -Infinity}', "-Infinity"),
        (b'{"cfg": 1e999}', "1e999 is too large"),
        (b'{"seed": ' + b"9" * 100_000 + b"}", "too large"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"a": ' * 100_000, "nested too deeply"),
        (b'{"seed": 1, "seed": 2}', "'seed': sent more than once"),
        (b'{"\xc3\xa9\\u0007": 1, "\xc3\xa9\\u0007": 2}', r"'\\xe9\\x07': sent more than once"),
    ],
)
def test_refused(body: bytes, message: str) -> None:
    with pytest.raises(APIError, match=message) as caught:
        read_object(body)
    assert caught.value.status == 400


def test_accepted() -> None:
    assert read_object(b'\xef\xbb\xbf {"prompt": "\xc3\xa9 \\u00e9 \\ud83d\\ude00", "n": 1e2} \n') == {
        "prompt": "é é 😀",
        "n": 100.0,
    }


def test_a_megabyte_prompt_is_read() -> None:
    assert len(read_object(b'{"prompt": "' + b"x" * 2**20 + b'"}')["prompt"]) == 2**20
