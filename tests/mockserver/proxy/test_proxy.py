"""The proxy, byte by byte, between a scripted server and a socket."""

from __future__ import annotations

from local_dream_mockserver.faults.catalogue import choose
from local_dream_mockserver.proxy.mutator import ResponseMutator
from tests.matrix.standing import proxying
from tests.mockserver.proxy.scripted_server import PATIENCE, dial, read_all, read_until, scripted

POST = b"POST /generate HTTP/1.1\r\nHost: x\r\nX-Odd:  two  spaces \r\ncontent-LENGTH: 2\r\n\r\n{}"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
FINE = b"HTTP/1.1 200 Fine\r\nX-Odd:  kept \r\ncontent-LENGTH: 2\r\n\r\nok"
EVENTS = [
    b'event: progress\ndata: {"type":"progress","step":1,"total_steps":2}\n\n',
    b'event: progress\ndata: {"type":"progress","step":2,"total_steps":2}\n\n',
    b'event: complete\ndata: {"type":"complete","image":"AAAABBBBCCCC"}\n\n',
]
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


STREAM = STREAM_HEAD + chunks(*EVENTS) + b"0\r\n\r\n"


def mutator(text: str) -> ResponseMutator:
    made = choose(text).make()
    assert isinstance(made, ResponseMutator)
    return made


def through(fault: ResponseMutator, answer: bytes, request: bytes = POST) -> tuple[bytes, bool]:
    """What a client sees of an answer, until the connection ends, and whether that was a reset."""
    with (
        scripted([(len(request), answer)], closes=True) as server,
        proxying(server.url, fault) as url,
        dial(url) as connection,
    ):
        connection.sendall(request)
        seen = read_all(connection)
    assert bytes(server.received) == request
    return seen


def body_of(seen: bytes) -> bytes:
    """The body of an answer in chunks, as far as it came."""
    rest = seen.partition(b"\r\n\r\n")[2]
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if int(size, 16) == 0:
            break
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body


def test_other_answers_pass_byte_by_byte_on_one_connection() -> None:
    """A stream is bent; what comes before it and after it on the same connection is not touched."""
    fault = mutator("byte-order-mark")
    answers = [(len(HEALTH), FINE), (len(HEALTH + POST), STREAM), (len(HEALTH + POST + HEALTH), FINE)]
    with scripted(answers) as server, proxying(server.url, fault) as url, dial(url) as connection:
        connection.sendall(HEALTH)
        assert read_until(connection, b"ok") == FINE
        connection.sendall(POST)
        stream = read_until(connection, b"0\r\n\r\n")
        connection.sendall(HEALTH)
        assert read_until(connection, b"ok") == FINE
    assert bytes(server.received) == HEALTH + POST + HEALTH
    assert body_of(stream) == b"\xef\xbb\xbf" + b"".join(EVENTS)
    assert fault.applied == 1


def test_requests_sent_together_are_answered_in_order() -> None:
    fault = mutator("byte-order-mark")
    both = HEALTH + POST
    with (
        scripted([(len(both), FINE + STREAM)], closes=True) as server,
        proxying(server.url, fault) as url,
        dial(url) as connection,
    ):
        connection.sendall(both)
        seen, _ = read_all(connection)
    assert seen.startswith(FINE)
    assert body_of(seen.removeprefix(FINE)) == b"\xef\xbb\xbf" + b"".join(EVENTS)


def test_what_is_not_http_passes_in_both_directions() -> None:
    fault = mutator("no-answer")
    seen = through(fault, b"\x00\xffneither is this\r\n", b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    assert seen == (b"\x00\xffneither is this\r\n", False)
    assert fault.applied == 0


def test_an_answer_that_is_not_http_passes() -> None:
    assert through(mutator("byte-order-mark"), b"SSH-2.0-x\r\n\r\n") == (b"SSH-2.0-x\r\n\r\n", False)


def test_a_broken_answer_passes_as_it_is_where_it_is_not_bent() -> None:
    broken = FINE[:-1]
    assert through(mutator("byte-order-mark"), broken, HEALTH) == (broken, False)


def test_interim_answers_reach_the_client_before_the_bent_one() -> None:
    request = POST.replace(b"Host", b"Expect: 100-continue\r\nHost").removesuffix(b"{}")
    answers = [(len(request), b"HTTP/1.1 100 Continue\r\n\r\n"), (len(request) + 2, STREAM)]
    with (
        scripted(answers, closes=True) as server,
        proxying(server.url, mutator("byte-order-mark")) as url,
        dial(url) as connection,
    ):
        connection.sendall(request)
        assert read_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        seen, _ = read_all(connection)
    assert body_of(seen).startswith(b"\xef\xbb\xbfevent: progress")


def test_a_reset_comes_after_exactly_so_many_bytes_of_the_body() -> None:
    fault = mutator("reset@bytes:80")
    seen, reset = through(fault, STREAM)
    assert reset
    assert body_of(seen) == b"".join(EVENTS)[:80]
    assert fault.applied == 1


def test_a_reset_is_placed_by_events() -> None:
    whole = b"".join(EVENTS)
    for place, length in (
        ("after:progress:1", len(EVENTS[0])),
        ("event:2", len(EVENTS[0] + EVENTS[1])),
        ("before:complete", len(EVENTS[0] + EVENTS[1])),
        ("inside:complete", whole.index(b"BBCCCC")),
    ):
        seen, reset = through(mutator(f"reset@{place}"), STREAM)
        assert (reset, body_of(seen)) == (True, whole[:length]), place


def test_a_place_that_never_comes_leaves_the_answer_whole() -> None:
    fault = mutator("reset@after:progress:9")
    seen, reset = through(fault, STREAM)
    assert (reset, body_of(seen)) == (False, b"".join(EVENTS))
    assert seen.endswith(b"0\r\n\r\n")
    assert fault.applied == 0


def test_places_do_not_depend_on_how_the_server_cuts_its_packets() -> None:
    whole = b"".join(EVENTS)
    singly = STREAM_HEAD + chunks(*(whole[at : at + 1] for at in range(len(whole)))) + b"0\r\n\r\n"
    seen, _ = through(mutator("reset@inside:complete"), singly)
    assert body_of(seen) == whole[: whole.index(b"BBCCCC")]


def test_a_counted_answer_is_cut_in_its_middle() -> None:
    picture = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 10\r\n\r\n0123456789"
    request = POST.replace(b"/generate", b"/upscale")
    seen, reset = through(mutator("reset"), picture, request)
    assert reset
    assert seen.endswith(b"\r\ncontent-length: 10\r\n\r\n01234")


def test_a_client_that_hangs_up_is_gone_for_the_server_too() -> None:
    with (
        scripted([(len(POST), STREAM_HEAD + chunks(EVENTS[0]))]) as server,
        proxying(server.url, mutator("crlf")) as url,
    ):
        with dial(url) as connection:
            connection.sendall(POST)
            read_until(connection, b"\r\n\r\n\r\n")
        assert server.left.wait(PATIENCE)


def test_a_server_that_is_not_there() -> None:
    with scripted([], closes=True) as server, dial(server.url):
        pass
    with proxying(server.url, mutator("crlf")) as url, dial(url) as connection:
        connection.sendall(HEALTH)
        seen, _ = read_all(connection)
    assert seen.startswith(b"HTTP/1.1 502 ")
    assert b'"type": "server_error"' in seen
