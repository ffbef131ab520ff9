"""The byte-strict decoder: the same events and oddities however the bytes are cut, and every oddity with its offset."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_dream_conformance.http import sse
from local_dream_conformance.http.sse import Decoder, DiagnosticKind, Stream, as_read_by_clients, decode

EVENTS = (
    b'event: progress\ndata: {"step": 1}\n\n',
    b": a comment\n\n",
    b"event: complete\ndata: \xf0\x9f\x8e\xa8\n\n",
    b"data:no space\ndata: second\nid: 5\nretry: 10\nnonsense\n\n",
    b"event: empty\n\n",
    b"data\n\n",
    b"data: x\nevent: late\nevent: twice\n\n",
    b"data:  two spaces\n\n",
    b"data: \xff bad\n\n",
    b"event: cut\ndata: off",
)
PIECES = st.lists(st.sampled_from([*EVENTS, b"\n", b"data: ", b"x", b"\xef\xbb\xbf", b":"]), max_size=8).map(b"".join)


def cut(body: bytes, size: int) -> Stream:
    decoder = Decoder()
    for start in range(0, len(body), size):
        decoder.feed(body[start : start + size])
    return decoder.close()


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_every_chunk_size_gives_the_same_result(ending: bytes, bom: bytes) -> None:
    body = bom + b"".join(EVENTS).replace(b"\n", ending)
    whole = decode(body)
    assert len(whole.events) == 7
    assert whole.unfinished
    assert whole.unfinished.data == "off"
    for size in range(1, len(body) + 1):
        assert cut(body, size) == whole


@settings(max_examples=300, deadline=None)
@given(body=PIECES, crs=st.lists(st.integers(0, 200), max_size=5), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_any_bytes_and_any_cuts(body: bytes, crs: list[int], cuts: list[int]) -> None:
    data = bytearray(body)
    for place in crs:
        data[place : place + 1] = b"\r" if place < len(data) else b""
    body = bytes(data)
    decoder = Decoder()
    edges = [0, *sorted(min(place, len(body)) for place in cuts), len(body)]
    fed = [event for a, b in itertools.pairwise(edges) for event in decoder.feed(body[a:b])]
    stream = decoder.close()
    assert stream == decode(body)
    assert set(fed) <= set(stream.events)
    assert all(0 <= diagnostic.offset <= len(body) for diagnostic in stream.diagnostics)


def test_events_carry_their_bytes() -> None:
    body = b": hello\nevent: progress\ndata: a\n\n\nevent: complete\ndata: b\n\n"
    first, second = decode(body).events
    assert body[first.start : first.end] == b"event: progress\ndata: a\n\n"
    assert body[second.start : second.end] == b"event: complete\ndata: b\n\n"
    assert (first.index, first.name, first.data) == (0, "progress", "a")


def test_a_clean_stream_has_no_oddities() -> None:
    assert decode(EVENTS[0] + b"event: complete\ndata: {}\n\n").diagnostics == ()


@pytest.mark.parametrize(
    ("body", "kind", "offset", "event"),
    [
        (b"\xef\xbb\xbfdata: x\n\n", DiagnosticKind.BOM, 0, None),
        (b"event: a\rdata: x\n\n", DiagnosticKind.CR, 8, None),
        (b"event: a\ndata: x\r\n\n", DiagnosticKind.CRLF, 16, 0),
        (b"event: a\ndata: x\xff\n\n", DiagnosticKind.INVALID_UTF8, 16, 0),
        (b"event: a\ndata: \xe2\x82\n\n", DiagnosticKind.INVALID_UTF8, 15, 0),
        (b"event: a\ndata:x\n\n", DiagnosticKind.NO_SPACE, 9, 0),
        (b"event: a\ndata:  x\n\n", DiagnosticKind.EXTRA_SPACE, 9, 0),
        (b"data: x\n\n", DiagnosticKind.NO_EVENT_LINE, 0, 0),
        (b"event: a\nevent: b\ndata: x\n\n", DiagnosticKind.SEVERAL_EVENT_LINES, 9, 0),
        (b"data: x\nevent: a\n\n", DiagnosticKind.EVENT_AFTER_DATA, 8, 0),
        (b"event: a\ndata: x\ndata: y\n\n", DiagnosticKind.SEVERAL_DATA_LINES, 17, 0),
        (b"event: a\ndata\n\n", DiagnosticKind.EMPTY_DATA, 0, 0),
        (b"event: a\n\n", DiagnosticKind.NO_DATA, 0, 0),
        (b"event: a\ndata: x\n", DiagnosticKind.UNFINISHED, 0, 0),
        (b"event: a\ndata: x", DiagnosticKind.UNFINISHED, 0, 0),
        (b"event: a\nfoo: 1\ndata: x\n\n", DiagnosticKind.UNKNOWN_FIELD, 9, 0),
        (b": ping\n\n", DiagnosticKind.COMMENT, 0, None),
        (b"id: 1\n\n", DiagnosticKind.ID, 0, None),
        (b"event: a\ndata: x\nretry: 1\n\n", DiagnosticKind.RETRY, 17, 0),
    ],
)
def test_oddities_and_where_they_are(body: bytes, kind: DiagnosticKind, offset: int, event: int | None) -> None:
    stream = decode(body)
    assert [(diagnostic.offset, diagnostic.event) for diagnostic in stream.diagnosed(kind)] == [(offset, event)]
    assert stream.counts[kind] == 1


def test_the_second_event_after_an_id_line_is_not_a_phantom() -> None:
    """An id: line makes no event; a client library is known to dispatch one."""
    assert decode(b"id: 1\n\nevent: a\ndata: x\n\n").events[0].index == 0
    assert list(as_read_by_clients(b"id: 1\n\nevent: a\ndata: x\n\n")) != [("a", "x")]


def test_bad_bytes_become_replacement_characters() -> None:
    assert decode(b"data: a\xffb\n\n").events[0].data == "a�b"


def test_what_clients_read_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LINES_READ", 10)
    with pytest.raises(ValueError, match="more than 10 lines"):
        list(as_read_by_clients(b":\n" * 11))


def test_memory_and_time_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LINES_READ", 1000)
    stream = decode(b"data: x\n\n" * 400 + b":\n" * 5000 + b"event: never\ndata: read\n\n")
    assert len(stream.events) == 400
    assert stream.counts[DiagnosticKind.COMMENT] == 200
    assert len(stream.diagnosed(DiagnosticKind.COMMENT)) == sse.DIAGNOSTICS_KEPT
    assert stream.diagnosed(DiagnosticKind.TOO_MANY_LINES)[0].offset == 9 * 400 + 2 * 200
    assert stream.unfinished is None


def test_what_a_client_reads() -> None:
    body = b"event: a\ndata: x\n\nevent: b\ndata: y\n\n"
    for media_type in ("text/event-stream", "Text/Event-Stream"):
        assert list(as_read_by_clients(body, media_type)) == [("a", "x"), ("b", "y")]
    with pytest.raises(ValueError, match="Content-Type"):
        list(as_read_by_clients(b"data: x\n\n", "text/html"))
