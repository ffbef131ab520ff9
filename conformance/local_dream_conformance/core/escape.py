"""Text from a target made safe to print: no control characters, no terminal escapes, no unbounded length."""

from __future__ import annotations

import re

_COMMAND = re.compile(
    r"(?i)#(?=#\[)|:(?=:(?:error|warning|notice|debug|group|endgroup|stop-commands|echo|"
    r"add-|set-|get-|save-|remove-)[^:]*)"
)
"""What a CI runner obeys where a line begins so (`::error::`), or anywhere in it (`##[`)."""
MARK = len("... (99 more)")


def escape(text: str | bytes, limit: int = 200, *, lines: bool = False) -> str:
    """`text` with everything that is not printable written as an escape, cut after `limit` characters.

    Bytes are read as UTF-8, with bad bytes shown as \\xNN. Bidirectional marks, lone surrogates and other
    unprintables are escaped too, since they can make a terminal or a page show something else than what is there, and
    the first character of commands that a CI runner would obey wherever folding puts them. The cut is marked with the
    number of characters left out; a rest that is no longer than that mark is not cut off. With `lines` the text goes on
    in a new line after each line feed, which is shown all the same.
    """
    if isinstance(text, bytes):
        left = max(0, len(text) - 4 * limit)
        whole = text[: 4 * limit].decode("utf-8", "backslashreplace")
    else:
        left, whole = 0, text
    kept = whole if not left and len(whole) <= limit + MARK else whole[:limit]
    left += len(whole) - len(kept)
    parts = kept.split("\n") if lines else [kept]
    safe = "\\n\n".join(part if part.isprintable() else "".join(map(_printable, part)) for part in parts)
    safe = _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", safe)
    return f"{safe}... ({left} more)" if left else safe


def _printable(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
