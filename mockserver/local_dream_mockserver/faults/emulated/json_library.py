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
from collections.abc import Iterator
from typing import Any

BOM = b"\xef\xbb\xbf"
PLAIN = re.compile(rb'[^"\\\x00-\x1f\x80-\xff]*')
NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
SURROGATE = re.compile(rb"\\u[dD]")
ESCAPES = {ord(short): plain for short, plain in zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True)}
CONTROLS = (
    *("NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI", "DLE"),
    *("DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"),
)
SHORT = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r"}
LITERALS = {ord("t"): (b"true", True), ord("f"): (b"false", False), ord("n"): (b"null", None)}
NAMES = {
    **{mark: f"'{mark}'" for mark in "[]{}:,"},
    **{kind: f"{kind} literal" for kind in ("string", "number", "true", "false", "null")},
    "end": "end of input",
    "value": "'[', '{', or a literal",
}
ANYTHING = "value"
SPACES = frozenset(b" \t\n\r")
LIMIT_SIGNED, LIMIT_UNSIGNED = -(2**63), 2**64


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
    return Reader(body).document() if quick is None else quick[0]


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


class Unreadable(Exception):
    """A token cannot be read; the text says why."""


class Reader:
    """The library's lexer and parser. `at` counts the characters that were read, the end of the input among them as
    often as it was met; `begun` is where the text begins that a message quotes."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.begun = 0
        self.given_back = False
        self.token = ""
        self.value: Any = None
        self.why = ""

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

    def position(self) -> tuple[int, int]:
        read = self.body[: self.at]
        beyond = max(0, self.at - len(self.body))
        if self.given_back and self.body[self.at : self.at + 1] == b"\n":  # as the library counts it
            return read.count(b"\n") + 1, 0
        return read.count(b"\n") + 1, len(read) - (read.rfind(b"\n") + 1) + beyond

    def quoted(self) -> bytes:
        """What was read since the last string or number began."""
        read = self.body[self.begun : self.at]
        return b"".join(b"<U+%04X>" % byte if byte < 0x20 else bytes((byte,)) for byte in read)

    # Tokens

    def get(self) -> int:
        """The next byte, -1 at the end."""
        self.given_back = False
        byte = self.body[self.at] if self.at < len(self.body) else -1
        self.at += 1
        return byte

    def scan(self) -> str:
        """Reads the next token, and says which it is."""
        try:
            self.token = self._scanned()
        except Unreadable as problem:
            self.token, self.why = "error", str(problem)
        return self.token

    def _scanned(self) -> str:
        if self.at == 0 and self.body[:1] == BOM[:1]:
            for byte in BOM:
                if self.get() != byte:
                    raise Unreadable("invalid BOM; must be 0xEF 0xBB 0xBF if given")
        byte = self.get()
        while byte in SPACES:
            byte = self.get()
        return self._token(byte)

    def _token(self, byte: int) -> str:
        if byte in (-1, 0):
            return "end"
        if byte in b"[]{}:,":
            return chr(byte)
        if byte in LITERALS:
            return self._literal(*LITERALS[byte])
        if byte == ord('"'):
            self.begun = self.at - 1
            self.value = self._string()
            return "string"
        if byte in b"-0123456789":
            self.begun = self.at - 1
            self.value = self._number()
            return "number"
        raise Unreadable("invalid literal")

    def _literal(self, text: bytes, value: bool | None) -> str:
        for wanted in text[1:]:
            if self.get() != wanted:
                raise Unreadable("invalid literal")
        self.value = value
        return text.decode()

    def _number(self) -> int | float:
        """Reads one byte beyond it, and gives that back."""
        found = NUMBER.match(self.body, self.begun)
        end = found.end() if found else self.begun
        if not found:
            self.at += 1
            raise Unreadable("invalid number; expected digit after '-'")
        rest = self.body[end : end + 2]
        simple = not set(found[0]) & set(b".eE")
        if rest[:1] == b"." and simple:
            self.at = end + 2
            raise Unreadable("invalid number; expected digit after '.'")
        if rest[:1] in (b"e", b"E") and not set(found[0]) & set(b"eE"):
            if rest[1:] in (b"+", b"-"):
                self.at = end + 3
                raise Unreadable("invalid number; expected digit after exponent sign")
            self.at = end + 2
            raise Unreadable("invalid number; expected '+', '-', or digit after exponent")
        self.at, self.given_back = end, True
        digits = found[0].decode()
        whole = int(digits) if simple and len(digits) <= 20 else LIMIT_UNSIGNED
        return whole if LIMIT_SIGNED <= whole < LIMIT_UNSIGNED else float(digits)

    def _string(self) -> str:
        return b"".join(self._pieces()).decode()

    def _pieces(self) -> Iterator[bytes]:
        while True:
            plain = PLAIN.match(self.body, self.at)
            assert plain is not None
            self.at = plain.end()
            yield plain[0]
            byte = self.get()
            if byte == -1:
                raise Unreadable("invalid string: missing closing quote")
            if byte == ord('"'):
                return
            if byte == ord("\\"):
                yield self._escaped().encode()
            elif byte < 0x20:
                short = f" or \\{SHORT[byte]}" if byte in SHORT else ""
                name = CONTROLS[byte]
                raise Unreadable(
                    f"invalid string: control character U+{byte:04X} ({name}) must be escaped to \\u{byte:04X}{short}"
                )
            else:
                yield self._several(byte)

    def _several(self, first: int) -> bytes:
        """A character of several bytes."""
        for length in range(2, 5):
            piece = self.body[self.at - 1 : self.at - 1 + length]
            try:
                piece.decode()
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and len(piece) == length:
                    continue
                self.at += error.end - error.start if error.reason != "invalid start byte" else 0
                raise Unreadable("invalid string: ill-formed UTF-8 byte") from None
            self.at += length - 1
            return piece
        raise AssertionError(first)

    def _escaped(self) -> str:
        byte = self.get()
        if byte in ESCAPES:
            return ESCAPES[byte]
        if byte != ord("u"):
            raise Unreadable("invalid string: forbidden character after backslash")
        first = self._unit()
        if 0xDC00 <= first <= 0xDFFF:
            raise Unreadable("invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF")
        if not 0xD800 <= first <= 0xDBFF:
            return chr(first)
        if self.get() == ord("\\") and self.get() == ord("u") and 0xDC00 <= (second := self._unit()) <= 0xDFFF:
            return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        raise Unreadable("invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF")

    def _unit(self) -> int:
        digits = bytearray()
        for _ in range(4):
            byte = self.get()
            if byte == -1 or byte not in b"0123456789abcdefABCDEF":
                raise Unreadable("invalid string: '\\u' must be followed by 4 hex digits")
            digits.append(byte)
        return int(digits, 16)
