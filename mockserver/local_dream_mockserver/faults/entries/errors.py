"""Faults of /health, of paths and methods that the API does not have, and of error answers."""

from __future__ import annotations

from starlette.types import Scope

from local_dream_mockserver.faults.effects import responses
from local_dream_mockserver.faults.middleware import Reply
from local_dream_mockserver.faults.server import refusal

HEALTH = ("/health",)
READ = ("GET", "HEAD")
OK = (200,)


@responses.rewrite("HLT-01", on=HEALTH, methods=READ, statuses=OK)
def health_503(reply: Reply) -> Reply:
    """GET /health is answered with status 503."""
    return refusal(503, "starting")


@responses.rewrite("HLT-01", on=HEALTH, methods=READ, statuses=OK)
def health_404(reply: Reply) -> Reply:
    """There is no /health."""
    return refusal(404, "there is no /health")


@responses.instead("HLT-04", on=HEALTH, methods=("HEAD",))
def head_refused(scope: Scope) -> Reply:
    """HEAD /health is answered with status 405."""
    return refusal(405, "use GET", (b"allow", b"GET"))


@responses.rewrite("SRV-03", statuses=(405,))
def allow_missing(reply: Reply) -> Reply:
    """Status 405 comes without an Allow header."""
    return reply.without(b"allow")
