"""The journal's bounds."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from local_dream_mockserver.mock.request_log import Request, RequestLog


def sent(journal: RequestLog, body: bytes) -> Request:
    request = journal.begin("POST", "/generate", "", Headers())
    journal.keep(request, body, True)
    return request


def test_the_oldest_requests_are_dropped_where_there_are_too_many() -> None:
    journal = RequestLog(most_requests=3)
    for _ in range(5):
        sent(journal, b"")
    assert [request.number for request in journal.requests] == [3, 4, 5]


def test_the_oldest_requests_are_dropped_where_their_bodies_are_too_long() -> None:
    journal = RequestLog(most_bytes=10)
    for length in (6, 5, 4, 20):
        sent(journal, b"x" * length)
        assert sum(len(request.body) for request in journal.requests) <= max(10, length)
    assert [request.number for request in journal.requests] == [4]


def test_settling_waits_for_what_is_under_way_only() -> None:
    journal = RequestLog()
    request = sent(journal, b"")
    with pytest.raises(TimeoutError, match="request 1"):
        journal.settle(0)
    request.end()
    journal.settle(0)
    request.end(left=True)
    assert request.hung_up is None
