"""The JSON library of the releases, against what the library itself (3.11.3) said of these documents."""

from __future__ import annotations

from typing import Any

import pytest

from local_dream_mockserver.faults.emulated.json_library import JsonFailure, dumped, parsed

PARSE = "[json.exception.parse_error.101] parse error at line"
VALUE, KEY = "syntax error while parsing value - ", "syntax error while parsing object key - "
ANYTHING = "; expected '[', '{', or a literal"
SURROGATE = "surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF"
REFUSED = [
    (
        b"",
        f"{PARSE} 1, column 1: attempting to parse an empty input; check that your input string or stream contains the"
        " expected JSON",
    ),
    (b"   ", f"{PARSE} 1, column 4: {VALUE}unexpected end of input{ANYTHING}"),
    (b'{"prompt": ', f"{PARSE} 1, column 12: {VALUE}unexpected end of input{ANYTHING}"),
    (b"undefined", f"{PARSE} 1, column 1: {VALUE}invalid literal; last read: 'u'"),
    (b"{'a':1}", f"{PARSE} 1, column 2: {KEY}invalid literal; last read: '{{''; expected string literal"),
    (b'{"a":1,}', f"{PARSE} 1, column 8: {KEY}unexpected '}}'; expected string literal"),
    (b"[1,]", f"{PARSE} 1, column 4: {VALUE}unexpected ']'{ANYTHING}"),
    (
        b"[1\n2]",
        f"{PARSE} 2, column 1: syntax error while parsing array - unexpected number literal; expected ']'",
    ),
    (
        b'{"a" 1}',
        f"{PARSE} 1, column 6: syntax error while parsing object separator - unexpected number literal; expected ':'",
    ),
    (
        b'{"a":01}',
        f"{PARSE} 1, column 7: syntax error while parsing object - unexpected number literal; expected '}}'",
    ),
    (b'{"a":tru}', f"{PARSE} 1, column 9: {VALUE}invalid literal; last read: '\"a\":tru}}'"),
    (b'{"a": 1.}', f"{PARSE} 1, column 9: {VALUE}invalid number; expected digit after '.'; last read: '1.}}'"),
    (b'{"a": -}', f"{PARSE} 1, column 8: {VALUE}invalid number; expected digit after '-'; last read: '-}}'"),
    (
        b'{"a": 1e+}',
        f"{PARSE} 1, column 10: {VALUE}invalid number; expected digit after exponent sign; last read: '1e+}}'",
    ),
    (b'{"a": 1e999}', "[json.exception.out_of_range.406] number overflow parsing '1e999'"),
    (b'{"a":"b', f"{PARSE} 1, column 8: {VALUE}invalid string: missing closing quote; last read: '\"b'"),
    (
        b'{"a":"x\ny"}',
        f"{PARSE} 2, column 0: {VALUE}invalid string: control character U+000A (LF) must be escaped to \\u000A or \\n;"
        " last read: '\"x<U+000A>'",
    ),
    (
        b'{"p":"\\x"}',
        f"{PARSE} 1, column 8: {VALUE}invalid string: forbidden character after backslash; last read: '\"\\x'",
    ),
    (b'{"p":"\\ud800"}', f"{PARSE} 1, column 13: {VALUE}invalid string: {SURROGATE}; last read: '\"\\ud800\"'"),
    (b'{"a":1} x', f"{PARSE} 1, column 9: {VALUE}invalid literal; last read: '1}} x'; expected end of input"),
    (
        b"\xef\xbbx",
        f"{PARSE} 1, column 3: {VALUE}invalid BOM; must be 0xEF 0xBB 0xBF if given; last read: '\xef\xbbx'",
    ),
    (b'{"a":"\xff"}', f"{PARSE} 1, column 7: {VALUE}invalid string: ill-formed UTF-8 byte; last read: '\"\xff'"),
    (b'{"a":"\xe2(', f"{PARSE} 1, column 8: {VALUE}invalid string: ill-formed UTF-8 byte; last read: '\"\xe2('"),
]
TAKEN: list[tuple[bytes, Any]] = [
    (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    (b'{"a": 1}\x00 and what follows', {"a": 1}),
    (b'{"a": 1, "a": 3}', {"a": 3}),
    (b"18446744073709551615", 2**64 - 1),
    (b"18446744073709551616", float(2**64)),
    (b"-9223372036854775809", float(-(2**63))),
    (b'"\\ud83d\\ude00 \\u00e9\xc3\xa9"', "\U0001f600 éé"),
    (b"[" * 5000 + b"]" * 5000, None),
]


@pytest.mark.parametrize(("document", "message"), REFUSED, ids=[repr(document) for document, _ in REFUSED])
def test_a_refusal_says_what_the_library_says(document: bytes, message: str) -> None:
    with pytest.raises(JsonFailure) as failure:
        parsed(document)
    assert failure.value.message.decode("latin-1") == message


@pytest.mark.parametrize(("document", "value"), TAKEN, ids=[repr(document[:30]) for document, _ in TAKEN])
def test_what_the_library_takes(document: bytes, value: Any) -> None:
    found = parsed(document)
    assert isinstance(found, list) if value is None else found == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a\xff", "[json.exception.type_error.316] invalid UTF-8 byte at index 1: 0xFF"),
        (b"a\xe2(", "[json.exception.type_error.316] invalid UTF-8 byte at index 2: 0x28"),
        (b"a\xe2\x82", "[json.exception.type_error.316] incomplete UTF-8 string; last byte: 0x82"),
    ],
)
def test_text_that_is_not_utf8_cannot_be_written(text: bytes, message: str) -> None:
    with pytest.raises(JsonFailure) as failure:
        dumped({"message": text})
    assert failure.value.message.decode() == message


def test_values_are_written_without_spaces_and_in_the_order_of_their_keys() -> None:
    assert dumped({"b": "é\n", "a": [1, 2.5, None]}) == '{"a":[1,2.5,null],"b":"é\\n"}'.encode()
