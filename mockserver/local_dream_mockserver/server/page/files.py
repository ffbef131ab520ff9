"""The static files of the page: read once, sent with the headers that keep a page to itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
"""What is served, by the end of its name; other files (licences) stay in the package."""
OWN = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
POLICIES = {
    # The address of another server may be typed in: the page reads what it likes, and sends where it is told to.
    "index.html": f"{OWN}; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' http: https:; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    # Swagger UI sets styles by attributes, and has its icons in data: URLs.
    "docs.html": f"{OWN}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'",
}
"""The Content-Security-Policy of each document."""
HEADERS = {
    "Cache-Control": "no-cache",  # asked for again each time, answered with 304 while nothing has changed
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    body: bytes
    headers: Mapping[str, str]

    def answer(self, request: Request) -> Response:
        """The file, or 304 where the client has it."""
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if self.headers["ETag"] in known:
            kept = {name: value for name, value in self.headers.items() if name != "Content-Type"}
            return Response(status_code=304, headers=kept)
        return Response(self.body, headers=dict(self.headers))


def static_file(name: str, body: bytes) -> StaticFile:
    """A file that is sent under this name; its end says what it is."""
    headers = {
        **HEADERS,
        "Content-Type": MEDIA_TYPES.get(name.rpartition(".")[2], "application/json"),
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Content-Security-Policy": POLICIES.get(name, f"{OWN}; sandbox"),
    }
    return StaticFile(body, headers)


@cache
def static_files() -> Mapping[str, StaticFile]:
    """All files by their path under `static/`, such as js/main.js."""
    return dict(_walk(files(__package__) / "static", ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, StaticFile]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in MEDIA_TYPES:
            yield prefix + entry.name, static_file(prefix + entry.name, entry.read_bytes())
