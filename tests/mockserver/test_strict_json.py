"""JSON bodies that are refused, and why."""

from __future__ import annotations

import pytest

from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.strict_json import MOST_VALUES, read_object, unique


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


class Counted(str):
    """A key that counts how often one is compared with another."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str(self) == str(other)


def test_a_key_sent_twice_is_found_without_comparing_each_with_each() -> None:
    keys = [Counted(f"k{number}") for number in range(2000)]
    with pytest.raises(APIError, match="'k1999': sent more than once"):
        unique([*((key, 1) for key in keys), (Counted("k1999"), 2)])
    assert Counted.compared < 20_000


def test_more_values_than_a_request_can_need() -> None:
    with pytest.raises(APIError, match=f"more than {MOST_VALUES} values"):
        read_object(b'{"a": [' + b"[]," * MOST_VALUES + b"1]}")
    assert len(read_object(b'{"a": [' + b"1," * 1000 + b"1]}")["a"]) == 1001
