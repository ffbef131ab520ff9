"""Values as the recorded releases convert them: by their JSON library, and by std::stoi."""

from __future__ import annotations

import struct
from typing import Any

from local_dream_mockserver.faults.emulated.json_library import wrong_type


def stoi(text: bytes) -> int:
    """As std::stoi: leading spaces, a sign, digits, and anything after them. Raises ValueError; OverflowError beyond 32
    bits."""
    stripped = text.lstrip(b" \t\n\v\f\r")
    sign = stripped[:1] if stripped[:1] in (b"+", b"-") else b""
    rest = stripped[len(sign) :]
    digits = rest[: len(rest) - len(rest.lstrip(b"0123456789"))]
    if not digits:
        raise ValueError("stoi")
    value = int(sign + digits) if len(digits) < 400 else 2**64
    if not -(2**31) <= value < 2**31:
        raise OverflowError("stoi")
    return value


def text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type("string", value)
    return value


def flag_of(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong_type("boolean", value)
    return value


def number_of(value: Any) -> int | float:
    """Booleans are numbers, too."""
    if not isinstance(value, int | float):
        raise wrong_type("number", value)
    return value


def int_of(value: Any) -> int:
    """32 bits: fractions are cut off, what is too large is what is left of it; a float beyond them is the smallest."""
    number = number_of(value)
    if isinstance(number, float):
        return int(number) if -(2.0**31) - 1 < number < 2.0**31 else -(2**31)
    return (int(number) + 2**31) % 2**32 - 2**31


def unsigned_of(value: Any) -> int:
    """32 bits, without a sign."""
    number = number_of(value)
    if isinstance(number, float) and not -(2.0**63) <= number < 2.0**63:
        return 0
    return int(number) % 2**32


def float_of(value: Any) -> float:
    """Of 32 bits."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", number_of(value)))[0])
    except OverflowError:
        return float("inf") if number_of(value) > 0 else float("-inf")
