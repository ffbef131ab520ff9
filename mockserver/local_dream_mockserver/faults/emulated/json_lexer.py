"""How the JSON library of the recorded releases reads tokens, and its words for those that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

BOM = b"\xef\xbb\xbf"
PLAIN = re.compile(rb'[^"\\\x00-\x1f\x80-\xff]*')
NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
ESCAPES = {ord(short): plain for short, plain in zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True)}
CONTROLS = (
    *("NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI", "DLE"),
    *("DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"),
)
SHORT = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r"}
LITERALS = {ord("t"): (b"true", True), ord("f"): (b"false", False), ord("n"): (b"null", None)}
SPACES = frozenset(b" \t\n\r")
LIMIT_SIGNED, LIMIT_UNSIGNED = -(2**63), 2**64


class Unreadable(Exception):
    """A token cannot be read; the text says why."""


class Lexer:
    """The library's lexer. `at` counts the characters that were read, the end of the input among them as often as it
    was met; `begun` is where the text begins that a message quotes."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.begun = 0
        self.given_back = False
        self.token = ""
        self.value: Any = None
        self.why = ""

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
