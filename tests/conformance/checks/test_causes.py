"""Likely causes: what is guessed ends with a question mark, what is seen does not."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from local_dream_conformance.run.suite import CHECKS_FOLDER

SEEN = (
    "-4 x -4 is 16 pixels too",
    "a null is not treated as the default",
    "a page cannot read them",
    "a page learns neither the status nor the text of this answer",
    "a request whose length is ambiguous can smuggle another",
    "browsers refuse to send the request",
    "browsers send no credentials with it",
    "clients that believe the header cannot read the answer; a proxy that compresses holds events back",
    "clients that split at LF LF never see the end of an event",
    "clients wait for the rest",
    "most readers lose the first event to it",
    "progress bars of clients stop short of their end",
    "readers drop an event that is not ended: the client waits for a picture that was sent",
    "steps are counted from 0",
    "the answer quotes the file",
    "the connection is torn down without a last chunk",
    "the same request without it is taken",
    "the server closes it without having said Connection: close",
    "the smallest request that was found to be answered like this",
    "width and height are swapped",
)
"""What follows from what was seen, or what it means for clients."""


def causes() -> Iterator[tuple[str, str]]:
    """Every text that is given as a cause, with its place."""
    for path in sorted(CHECKS_FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "cause":
                for text in _texts(node.value):
                    yield f"{path.name}:{node.value.lineno}", text


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "..." for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        pytest.fail(f"line {node.lineno}: a cause is put together of parts; write each whole")


def test_what_is_guessed_is_a_question() -> None:
    found = [(place, text) for place, text in causes() if text]
    assert len(found) > 60
    assert [one for one in found if not one[1].endswith("?") and one[1] not in SEEN] == []
    assert [text for text in SEEN if text.endswith("?")] == []
