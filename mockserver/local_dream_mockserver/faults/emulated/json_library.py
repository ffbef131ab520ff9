"""The JSON library of the recorded releases (nlohmann::json 3.11), as far as their clients notice it: what it accepts,
and its words for what it does not.

Its reader differs from Python's in what it takes (a byte order mark, a NUL as the end, any depth) and in what it
refuses (half a surrogate pair, numbers beyond a double). Its messages quote the bytes that were read last, whatever
they are: they are bytes here.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from local_dream_mockserver.faults.emulated.json_lexer import BOM, LIMIT_SIGNED, LIMIT_UNSIGNED, Lexer

SURROGATE = re.compile(rb"\\u[dD]")
NAMES = {
    **{mark: f"'{mark}'" for mark in "[]{}:,"},
    **{kind: f"{kind} literal" for kind in ("string", "number", "true", "false", "null")},
    "end": "end of input",
    "value": "'[', '{', or a literal",
}
ANYTHING = "value"


class JsonFailure(Exception):
    """An exception of the library. `message` is its `what()`; `parse` says whether it is a parse_error."""

    def __init__(self, name: str, number: int, message: bytes) -> None:
        self.message = f"[json.exception.{name}.{number}] ".encode() + message
        super().__init__(self.message)
        self.parse = name == "parse_error"


def type_of(value: Any) -> str:
    """The library's name for the type of a value."""
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def wrong_type(wanted: str, value: Any) -> JsonFailure:
    """A value is asked for as another type than it has."""
    return JsonFailure("type_error", 302, f"type must be {wanted}, but is {type_of(value)}".encode())


def no_object(value: Any) -> JsonFailure:
    """`value()` is called on something else than an object."""
    return JsonFailure("type_error", 306, f"cannot use value() with {type_of(value)}".encode())


def dumped(value: Any) -> bytes:
    """As `dump()` writes: no spaces, keys in order, UTF-8. Bytes are a string that may not be UTF-8; raises JsonFailure
    then."""
    return json.dumps(_text(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _text(one) for key, one in value.items()}
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            message = f"incomplete UTF-8 string; last byte: 0x{value[-1]:02X}"
        else:
            at = error.start if error.reason == "invalid start byte" else error.end
            message = f"invalid UTF-8 byte at index {at}: 0x{value[at]:02X}"
        raise JsonFailure("type_error", 316, message.encode()) from None


def parsed(body: bytes) -> Any:
    """The value that a document is. Raises JsonFailure."""
    quick = _quickly(body)
    return Parser(body).document() if quick is None else quick[0]


def _quickly(body: bytes) -> tuple[Any] | None:
    """The value where Python's fast reader is sure of it."""
    if SURROGATE.search(body):
        return None
    try:
        text = body.removeprefix(BOM).decode()
        return (json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_constant),)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | float:
    value = int(digits)
    return value if LIMIT_SIGNED <= value < LIMIT_UNSIGNED else _finite(digits)


def _finite(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise ValueError(digits)
    return value


def _constant(name: str) -> Any:
    raise ValueError(name)


class Parser(Lexer):
    """The library's parser, and what it says of what it cannot read."""

    def document(self) -> Any:
        """The value of the whole. Raises JsonFailure."""
        self.scan()
        found = self._value()
        if self.scan() != "end":
            raise self.failure("value", "end")
        return found

    def _value(self) -> Any:
        """The value that begins with the present token. Without recursion: depth has no limit."""
        open_ones: list[tuple[Any, str]] = []
        while True:
            made = self._begun()
            if made is not None:
                open_ones.append(made)
                continue
            value = self.value
            while True:  # the value is complete
                if not open_ones:
                    return value
                inside, key = open_ones[-1]
                if isinstance(inside, list):
                    inside.append(value)
                else:
                    inside[key] = value
                if self.scan() == ",":
                    if isinstance(inside, dict):
                        self.scan()
                        key = self._key()
                    else:
                        self.scan()
                    open_ones[-1] = inside, key
                    break
                end, what = ("]", "array") if isinstance(inside, list) else ("}", "object")
                if self.token != end:
                    raise self.failure(what, end)
                open_ones.pop()
                value = inside

    def _begun(self) -> tuple[Any, str] | None:
        """An array or object with something in it, which the present token begins; None for any other value, which then
        is `self.value`."""
        if self.token == "{":
            if self.scan() == "}":
                self.value = {}
                return None
            return {}, self._key()
        if self.token == "[":
            if self.scan() == "]":
                self.value = []
                return None
            return [], ""
        if self.token == "error":
            raise self.failure("value", "")
        if self.token == "end" and self.at == 1:
            text = (
                "attempting to parse an empty input; check that your input string or stream contains the expected JSON"
            )
            raise self.parse_error(text.encode())
        if self.token not in ("string", "number", "true", "false", "null"):
            raise self.failure("value", ANYTHING)
        if self.token == "number" and isinstance(self.value, float) and not math.isfinite(self.value):
            raise JsonFailure("out_of_range", 406, b"number overflow parsing '" + self.quoted() + b"'")
        return None

    def _key(self) -> str:
        if self.token != "string":
            raise self.failure("object key", "string")
        key = str(self.value)
        if self.scan() != ":":
            raise self.failure("object separator", ":")
        self.scan()
        return key

    # Failures

    def failure(self, context: str, expected: str) -> JsonFailure:
        if self.token == "error":
            got = f"{self.why}; last read: '".encode() + self.quoted() + b"'"
        else:
            got = f"unexpected {NAMES[self.token]}".encode()
        wanted = f"; expected {NAMES[expected]}".encode() if expected else b""
        return self.parse_error(f"syntax error while parsing {context} - ".encode() + got + wanted)

    def parse_error(self, message: bytes) -> JsonFailure:
        line, column = self.position()
        return JsonFailure("parse_error", 101, f"parse error at line {line}, column {column}: ".encode() + message)
