"""`python -m tests.reliability.fuzz TARGET SECONDS`: fuzzes one parser, or each, by coverage where atheris is
installed, else by mutation alone. An input that raises what it must not, or takes too long, is kept in CORPUS, whose
files are tests from then on (`tests/mockserver/test_parsers.py`)."""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import importlib
import importlib.util
import logging
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any, NoReturn

from PIL import Image
from starlette.types import Receive, Scope, Send

from local_dream_mockserver.proxy.answers import AnswerReader, NotHttp
from local_dream_mockserver.proxy.requests import Asked, RequestLog
from local_dream_mockserver.server.connection_limits import ConnectionLimits, LimitedConfig
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.image_input import read_image
from local_dream_mockserver.server.strict_json import read_object
from tests.reliability.fuzz_suite import SUITE
from tests.reliability.hostile import SPICE
from tests.reliability.surfaces import SEEDS, picture

CORPUS = Path(__file__).parents[1] / "mockserver" / "corpus"
INSTRUMENTED = (
    "local_dream_mockserver.server",
    "local_dream_mockserver.proxy",
    "local_dream_conformance.core",
    "local_dream_conformance.evidence",
    "local_dream_conformance.http",
    "h11",
    "json.",
    "PIL.",
)
"""Modules whose branches guide the fuzzer; all that are imported would take minutes to prepare."""
SLOW = 5.0
"""Seconds that no input may take."""
INPUTS = 12
"""Of what led the fuzzer to new branches, so many are kept, the longest within LONGEST bytes."""
LONGEST = 400


class Wire(asyncio.Transport):
    """A transport to nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.written = bytearray()

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


def head(data: bytes) -> None:
    """The server's HTTP: whatever comes is answered with HTTP."""
    asyncio.run(_head(data))


async def _head(data: bytes) -> None:
    from uvicorn.server import ServerState

    config = LimitedConfig(_nothing, log_config=None, ws="none", limits=ConnectionLimits())
    protocol = HttpProtocol(config, ServerState(), {})
    wire = Wire()
    protocol.connection_made(wire)
    half = len(data) // 2
    for piece in (data[:half], data[half:]):
        if not wire.closed:
            protocol.data_received(piece)
            await asyncio.sleep(0)
    protocol.connection_lost(None)
    assert not wire.written or wire.written.startswith(b"HTTP/1.1 ")


def proxy(data: bytes) -> None:
    """The proxy's readings of requests and of answers."""
    log = RequestLog()
    log.feed(data)
    asyncio.run(_answer(data))


async def _answer(data: bytes) -> None:
    pieces = [data[:50], data[50:], b""]

    async def read() -> bytes:
        return pieces.pop(0) if pieces else b""

    async def write(data: bytes) -> None: ...

    with suppress(NotHttp):
        reader = AnswerReader(Asked("GET", "/"), read, b"", write)
        await reader.head()
        async for _ in reader.body():
            pass


def strict_json(data: bytes) -> None:
    """Bodies: an object, or a refusal."""
    with suppress(APIError):
        assert isinstance(read_object(data), dict)


def image_input(data: bytes) -> None:
    """Pictures: one of the size asked for, or a refusal."""
    with suppress(APIError):
        text = base64.b64encode(data).decode()
        assert read_image("image", text, (16, 8), 1_000_000).shape == (8, 16, 3)


ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
)
TARGETS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "head": (head, SEEDS),
    "proxy": (proxy, SEEDS + ANSWERS),
    "strict_json": (strict_json, tuple(seed.partition(b"\r\n\r\n")[2] for seed in SEEDS)),
    "image_input": (image_input, tuple(base64.b64decode(picture(k)) for k in ("PNG", "JPEG", "WEBP", "BMP", "GIF"))),
    **SUITE,
}


def judged(name: str, data: bytes) -> str:
    """What is wrong with the target's reading of the data; "" where nothing is."""
    began = time.monotonic()
    try:
        TARGETS[name][0](data)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    took = time.monotonic() - began
    return f"took {took:.1f} s" if took > SLOW else ""


def by_mutation(name: str, seconds: float) -> int:
    """Answers with the number of inputs that were tried."""
    seeds, chance, tried = TARGETS[name][1], random.Random(1), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.choice((0, 0, 1, 1, 8))] = chance.choice((chance.randbytes(1), chance.choice(SPICE)))
        tried += 1
        _tried(name, bytes(data))
    return tried


def _tried(name: str, data: bytes) -> None:
    if wrong := judged(name, data):
        found = CORPUS / name / hashlib.sha256(data).hexdigest()[:16]
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_bytes(data)
        sys.stdout.write(f"{name}: {found.name}: {wrong}\n")


def by_coverage(name: str, seconds: float) -> None:
    """Fuzzes in a child, and then keeps some of what led to new branches."""
    seeds = Path(tempfile.mkdtemp(prefix="local-dream-fuzz-"))
    for number, data in enumerate(TARGETS[name][1]):
        (seeds / str(number)).write_bytes(data)
    child = os.fork()
    if not child:
        _guided(name, seconds, seeds)
    os.waitpid(child, 0)
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    found = sorted(
        (path for path in seeds.iterdir() if not path.name.isdecimal()), key=lambda path: path.stat().st_size
    )
    for path in [path for path in found if path.stat().st_size <= LONGEST][-INPUTS:]:
        shutil.copyfile(path, kept / path.name[:16])
    sys.stdout.write(f"{name}: {len(found)} inputs led to new branches\n")
    shutil.rmtree(seeds)


def _guided(name: str, seconds: float, seeds: Path) -> NoReturn:
    """Ends the process."""
    atheris = importlib.import_module("atheris")  # no dependency of the project: few Pythons have it

    for module in [module for name, module in sys.modules.items() if name.startswith(INSTRUMENTED)]:
        for holder in [module, *(one for one in vars(module).values() if isinstance(one, type))]:
            for function in [one for one in vars(holder).values() if isinstance(one, FunctionType)]:
                if function.__module__ == module.__name__:
                    atheris.instrument_func(function)
    atheris.Setup(["fuzz", f"-max_total_time={seconds:g}", str(seeds)], lambda data: _tried(name, data))
    atheris.Fuzz()
    os._exit(0)


def main() -> int:
    """1 where an input is kept that is still read wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.fuzz", description=__doc__)
    parser.add_argument("target", choices=[*TARGETS, "each"])
    parser.add_argument("seconds", type=float)
    chosen = parser.parse_args()
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())  # it has a line for each input that is no HTTP
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    guided, wrong = importlib.util.find_spec("atheris"), 0
    for name in TARGETS if chosen.target == "each" else (chosen.target,):
        if guided:
            by_coverage(name, chosen.seconds)
        else:
            sys.stdout.write(f"{name}: {by_mutation(name, chosen.seconds)} inputs, by mutation alone\n")
        wrong += sum(bool(judged(name, path.read_bytes())) for path in (CORPUS / name).glob("*"))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
