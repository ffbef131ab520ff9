"""Servers behind the proxy that never end an answer: it holds no more of one than it says."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local_dream_mockserver import faults
from local_dream_mockserver.faults.catalogue import choose
from local_dream_mockserver.faults.effects.declare import compared
from local_dream_mockserver.proxy import mutator, split
from local_dream_mockserver.proxy import proxy as proxies
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.proxy import Proxy, parse_upstream

HELD = 1 << 20
SENT = 10 * HELD
MOST = 5 * HELD
"""What is kept, joined, framed, and on its way."""
EVENT = b'event: progress\ndata: {"type":"progress","step":1,"total_steps":9,"image":"' + b"A" * 60_000 + b'"}\n\n'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
PICTURE = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n"
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
EVENTS, ENDLESS_EVENT, BYTES, REFUSED = "events", "an event without an end", "a picture", "a refusal"
ANSWERS = {
    EVENTS: ("/generate", STREAM, EVENT),
    ENDLESS_EVENT: ("/generate", STREAM, b"A" * 65_536),
    BYTES: ("/upscale", PICTURE, bytes(65_536)),
    REFUSED: ("/generate", REFUSAL, b"x" * 65_536),
}


def mutator_of(fault: str) -> ResponseMutator:
    made = choose(fault).make()
    assert isinstance(made, ResponseMutator)
    return made


async def passed(made: ResponseMutator, kind: str) -> int:
    """How many bytes come to a client for an answer of SENT bytes, through the proxy with a fault."""
    path, head, piece = ANSWERS[kind]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            for _ in range(SENT // len(piece)):
                writer.write(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = Proxy(parse_upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), [made])
    url = await proxy.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    got = 0
    with contextlib.suppress(OSError):
        async with asyncio.timeout(60):
            while data := await reader.read(65_536):
                got += len(data)
    writer.close()
    await proxy.close()
    server.close()
    return got


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("length-too-long", EVENTS),
        ("length-too-short", BYTES),
        ("cut-between-line-ends", ENDLESS_EVENT),
        ("two-in-a-packet", ENDLESS_EVENT),
        ("pictures-in-chunks", BYTES),
        ("close-after-each", BYTES),
        ("refusals-in-chunks", REFUSED),
        ("refusal-drips", REFUSED),
    ],
)
def test_no_more_of_an_answer_is_kept(
    fault: str, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (mutator, split, proxies):
        monkeypatch.setattr(module, "MOST_HELD", HELD)
    made = mutator_of(fault)  # loads the catalogue, which takes more memory than what is measured
    tracemalloc.start()
    try:
        got = asyncio.run(passed(made, kind))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got < HELD
    assert peak < MOST
    path = ANSWERS[kind][0]
    assert f"the answer to POST {path} is longer than the 1 MiB that are kept of one" in caplog.text


@pytest.mark.parametrize("fault", ["cut-between-line-ends", "two-in-a-packet", "byte-order-mark", "chunk-extensions"])
def test_a_stream_of_any_length_goes_through(fault: str) -> None:
    made = mutator_of(fault)
    tracemalloc.start()
    try:
        assert asyncio.run(passed(made, EVENTS)) >= SENT // len(EVENT) * len(EVENT)
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


def test_what_a_change_makes_is_compared_as_it_comes() -> None:
    async def differs(change: list[int], came: list[int]) -> bool:
        found: list[bool] = []

        async def values() -> AsyncIterator[int]:
            for value in came:
                yield value

        async def changed(them: AsyncIterator[int]) -> AsyncIterator[int]:
            async for _ in them:
                pass
            for value in change:
                yield value

        assert [value async for value in compared(changed, values(), lambda: found.append(True))] == change
        return bool(found)

    for change, came in (([1, 2], [1, 2]), ([], [])):
        assert not asyncio.run(differs(change, came))
    for change, came in (([1], [1, 2]), ([1, 2], [1]), ([2, 1], [1, 2]), ([1, 3, 2], [1, 2]), ([], [1])):
        assert asyncio.run(differs(change, came))


def test_no_fault_keeps_an_answer_without_a_bound() -> None:
    """A comprehension over a body is over a bounded one."""
    folder = Path(inspect.getfile(faults)).parent
    found = [
        f"{file.name}:{node.lineno}"
        for file in [*folder.rglob("*.py"), *Path(inspect.getfile(mutator)).parent.glob("*.py")]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ListComp)
        for loop in node.generators
        if loop.is_async and ast.unparse(loop.iter) not in ("bounded(body)", "bounded(answer.body)", "pieces")
    ]
    assert found == []
