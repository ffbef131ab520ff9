"""Judges a whole request by the contract: path, method, headers, body."""

from __future__ import annotations

from functools import cache
from typing import Any

from starlette.datastructures import Headers

from local_dream_mockserver.mock import on_phones
from local_dream_mockserver.mock.generate_violations import generate_breaches, tokenize_breaches
from local_dream_mockserver.mock.upscale_violations import upscale_breaches
from local_dream_mockserver.mock.violation import Violation
from local_dream_mockserver.server.spec import load_spec

FOREIGN = "/sdapi/"
"""Paths of another API, which the contract does not speak of."""


def breaches_of(method: str, path: str, headers: Headers, body: bytes) -> tuple[Violation, ...]:
    """Everything in the request that a client cannot count on, in the order of the request."""
    paths = _paths()
    if path.startswith(FOREIGN):
        return ()
    if path not in paths:
        return (Violation("SRV-01", "path", f"{path[:100]} is none of the API's; use {', '.join(paths)}"),)
    methods = [name.upper() for name in paths[path] if name in ("get", "head", "post", "put", "delete", "options")]
    if method == "OPTIONS" and "access-control-request-method" in headers:
        return ()
    if method not in methods:
        return (Violation("SRV-02", "method", f"{path} has no {method}; use {' or '.join(methods)}"),)
    if method != "POST":
        return ()
    found = [*_head_breaches(path, headers), *on_phones.of_head(headers, len(body))]
    if headers.get("content-encoding", "identity").lower() != "identity":
        return tuple(found)  # the body cannot be read
    if path == "/upscale":
        found += upscale_breaches(headers, body)
    else:
        found += generate_breaches(body) if path == "/generate" else tokenize_breaches(body)
    return tuple(found)


@cache
def _paths() -> dict[str, Any]:
    return {path: item for path, item in load_spec()["paths"].items() if not _elsewhere(item)}


def _elsewhere(item: dict[str, Any]) -> bool:
    """Whether the operations of a path are on another port."""
    return any("servers" in operation for operation in item.values())


def _head_breaches(path: str, headers: Headers) -> list[Violation]:
    """Of Content-Type, which has to be what the contract documents, and of Content-Encoding."""
    wanted = next(iter(load_spec()["paths"][path]["post"]["requestBody"]["content"]))
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    found = []
    if sent != wanted:
        found.append(Violation(None, "Content-Type", f"{sent[:80] or 'missing'}; send {wanted}"))
    if "content-encoding" in headers and headers["content-encoding"].lower() != "identity":
        found.append(Violation(None, "Content-Encoding", "the body is compressed; send it as it is"))
    return found
