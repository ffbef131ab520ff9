"""Text from a target made safe to print: no control characters, no terminal escapes, no unbounded length."""

from __future__ import annotations

import re

_COMMAND = re.compile(
    r"(?i)#(?=#\[)|:(?=:(?:error|warning|notice|debug|group|endgroup|stop-commands|echo|"
    r"add-|set-|get-|save-|remove-)[^:]*)"
)
"""What a CI runner obeys where a line begins so (`::error::`), or anywhere in it (`##[`)."""


def escape(text: str | bytes, limit: int = 200) -> str:
    """`text` with everything that is not printable written as an escape, cut after `limit` characters.

    Bytes are read as UTF-8, with bad bytes shown as \\xNN. Bidirectional marks, lone surrogates and other
    unprintables are escaped too, since they can make a terminal or a page show something else than what is there, and
    the first character of commands that a CI runner would obey wherever folding puts them. The cut is marked with the
    number of characters left out.
    """
    if isinstance(text, bytes):
        left = max(0, len(text) - 4 * limit)
        whole = text[: 4 * limit].decode("utf-8", "backslashreplace")
    else:
        left, whole = 0, text
    kept = whole[:limit]
    left += len(whole) - len(kept)
    safe = kept if kept.isprintable() else "".join(map(_printable, kept))
    safe = _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", safe)
    return f"{safe}... ({left} more)" if left else safe


def _printable(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
