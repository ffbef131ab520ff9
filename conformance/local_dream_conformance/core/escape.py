"""Text from a target made safe to print: no control characters, no terminal escapes, no unbounded length."""

from __future__ import annotations


def escape(text: str | bytes, limit: int = 200) -> str:
    """`text` with everything that is not printable written as an escape, cut after `limit` characters.

    Bytes are read as UTF-8, with bad bytes shown as \\xNN. Bidirectional marks, lone surrogates and other
    unprintables are escaped too, since they can make a terminal or a page show something else than what is there.
    The cut is marked with the number of characters left out.
    """
    whole = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
    kept = whole[:limit]
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in kept
    )
    left = len(whole) - len(kept)
    return f"{safe}... ({left} more)" if left else safe
