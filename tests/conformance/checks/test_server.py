from __future__ import annotations

import pytest

from local_dream_conformance.core.exchange import End, Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run import suite
from tests.conformance.transcripts import JSON_HEADERS, answer, judge, request

suite.load()
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
STREAM = (("Content-Type", "text/event-stream"),)
EVENTS = b'event: progress\ndata: {"type": "progress"}\n\n'


@pytest.mark.parametrize("end", [End.TOO_LARGE, End.IDLE_TIMEOUT, End.TRUNCATED])
@pytest.mark.parametrize("status", [200, 201])
def test_a_stream_is_none_of_the_answers_that_end_at_once(status: int, end: End) -> None:
    """Also where its status is wrong: the suite hangs up then, which is not the server's doing."""
    answered = answer("defaults/absent", status, EVENTS, to=request({}), headers=STREAM, end=end)
    assert judge("SRV-04", ALIVE, answered).verdict is Verdict.PASS


@pytest.mark.parametrize("end", [End.TOO_LARGE, End.IDLE_TIMEOUT, End.TRUNCATED])
@pytest.mark.parametrize(("status", "headers"), [(400, JSON_HEADERS), (400, STREAM), (200, JSON_HEADERS)])
def test_other_answers_end(status: int, headers: tuple[tuple[str, str], ...], end: End) -> None:
    answered = answer("refuse/size-zero", status, b"{", to=request({}), headers=headers, end=end)
    assert judge("SRV-04", ALIVE, answered).verdict is Verdict.FAIL
