"""The right servers, and what stands around them. Each is one that people really run."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine, SyntheticPicture, SyntheticStep, rest
from local_dream_mockserver.proxy.mutator import Answer, Out, ResponseMutator
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from local_dream_mockserver.server.run import Server, listen, url_of
from tests.examples.servers import EXAMPLES, running
from tests.matrix.standing import PATIENCE, proxying, serving, standing
from tests.ports import free_port
from tests.surroundings.relay import relayed

NGINX = "/usr/sbin/nginx"
CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_max_body_size 64m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {url}; proxy_http_version 1.1; proxy_buffering off; proxy_set_header Connection ""; }}
  }}
}}
"""
Place = Callable[[], AbstractContextManager[str]]


@dataclass(frozen=True)
class Surrounding:
    """A right server somewhere. `stands` gives its URL while it runs; `missing` what this machine lacks for it.

    `quick`: it is tried by the tests, too. `options` are settings that its user would give.
    """

    name: str
    stands: Place
    quick: bool = False
    missing: Callable[[], str] = lambda: ""
    options: dict[str, str] = field(default_factory=dict)


class Silent(SyntheticEngine):
    """Needs a while before its first step, at every generation or at the first alone, as while it loads a model."""

    def __init__(self, silence: float, step: float, *, always: bool) -> None:
        super().__init__(Pacing(first=0, step=step))
        self._silence = silence
        self._always = always

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        rest(self._silence, cancelled)
        if not self._always:
            self._silence = 0.0
        yield from super().generate(request, cancelled)


def mock(first: float = 0.02, step: float = 0.02) -> ASGIApp:
    return create_app(SyntheticEngine(Pacing(first=first, step=step)))


@contextmanager
def on_uvicorn(http: str) -> Iterator[str]:
    """On uvicorn as it comes, with one of its two HTTP implementations."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(mock(), http=http, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextmanager
def on_hypercorn() -> Iterator[str]:
    """On hypercorn as it comes. Its own imports are made here, since it need not be installed."""
    import hypercorn.asyncio
    from hypercorn.config import Config

    listener = listen("127.0.0.1", 0)
    url = url_of(listener)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "CRITICAL"
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        await hypercorn.asyncio.serve(cast(Any, mock()), config, shutdown_trigger=cast(Any, over.wait))

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(PATIENCE)
        loop.close()


@contextmanager
def over_ipv6() -> Iterator[str]:
    listener = listen("::1", 0)
    ready = threading.Event()
    server = Server(mock(), ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        ready.wait(PATIENCE)
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextmanager
def behind_nginx() -> Iterator[str]:
    with serving(mock()) as url, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        path = Path(folder) / "nginx.conf"
        path.write_text(CONFIGURATION.format(folder=folder, port=port, url=url), encoding="utf-8")
        process = subprocess.Popen([NGINX, "-c", str(path), "-p", folder], stderr=subprocess.DEVNULL)
        try:
            _answering(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _answering(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


@contextmanager
def far(round_trip: float, rate: float, step: float) -> Iterator[str]:
    with serving(mock(step=step)) as near, relayed(near, round_trip, rate) as url:
        yield url


class Http10(ResponseMutator):
    """Answers as servers of HTTP/1.0 do: what is no stream has its length, a stream ends with the connection."""

    paths = ("/generate", "/upscale", "/health")
    statuses = ()

    async def send(self, answer: Answer, out: Out) -> None:
        head = answer.head.without(b"connection").bare
        if not answer.head.is_stream:
            body = b"".join([piece async for piece in answer.body])
            await out.write(_of_1_0(head.length(len(body))) + body)
        else:
            await out.write(_of_1_0(head.encoded()))
            async for piece in answer.body:
                await out.write(piece)
        await out.close()


def _of_1_0(head: bytes) -> bytes:
    return head.replace(b"HTTP/1.1", b"HTTP/1.0", 1)


@contextmanager
def over_http_1_0() -> Iterator[str]:
    with serving(mock()) as behind, proxying(behind, Http10()) as url:
        yield url


@contextmanager
def with_quirk(name: str) -> Iterator[str]:
    with standing(entries()[name]) as (url, _):
        yield url


@contextmanager
def example(name: str, step_ms: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        EXAMPLES[name].make(Path(folder))
        with running(EXAMPLES[name], Path(folder), step_ms) as url:
            yield url


def silent(seconds: float, step: float, *, always: bool = True) -> Place:
    return lambda: serving(create_app(Silent(seconds, step, always=always)))


def paced(step: float) -> Place:
    return lambda: serving(mock(step, step))


def _lacks_nginx() -> str:
    return "" if shutil.which(NGINX) else "nginx"


def _lacks_hypercorn() -> str:
    return "" if importlib.util.find_spec("hypercorn") else "hypercorn"


def _lacks_ipv6() -> str:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return "IPv6"
    return ""


SURROUNDINGS = (
    Surrounding("a step in 1 ms", paced(0.001), quick=True),
    Surrounding("a step in 5 ms", paced(0.005), quick=True),
    Surrounding("asked for one step with --steps 1", paced(0.005), quick=True, options={"steps": "1"}),
    Surrounding("a step in 200 ms", paced(0.2)),
    Surrounding("a step in 2 s", paced(2.0)),
    Surrounding("a step in no time", paced(0.0), quick=True),
    Surrounding("silent for 0.4 s before each first step, then 10 ms a step", silent(0.4, 0.01), quick=True),
    Surrounding("silent for 2 s before each first step, then 20 ms a step", silent(2.0, 0.02)),
    Surrounding("silent for 20 s before each first step, then 20 ms a step", silent(20.0, 0.02)),
    Surrounding("silent for 20 s before the first step of all", silent(20.0, 0.02, always=False)),
    Surrounding("silent for 0.4 s before each first step, then no time a step", silent(0.4, 0.0), quick=True),
    Surrounding("300 ms and 1 Mbit/s away", partial(far, 0.3, 125_000, 0.05)),
    Surrounding("40 ms and 40 Mbit/s away", partial(far, 0.04, 5_000_000, 0.02), quick=True),
    Surrounding("behind nginx with proxy_buffering off", behind_nginx, quick=True, missing=_lacks_nginx),
    Surrounding("over HTTP/1.0", over_http_1_0, quick=True),
    Surrounding("over IPv6", over_ipv6, quick=True, missing=_lacks_ipv6),
    Surrounding("on uvicorn with h11", partial(on_uvicorn, "h11"), quick=True),
    Surrounding("on uvicorn with httptools", partial(on_uvicorn, "httptools"), quick=True),
    Surrounding("on hypercorn", on_hypercorn, quick=True, missing=_lacks_hypercorn),
    *(
        Surrounding(f"{name}, {step_ms} ms a step", partial(example, name, step_ms), missing=EXAMPLES[name].missing)
        for name in EXAMPLES
        for step_ms in (0, 20, 200)
    ),
    *(
        Surrounding(f"the quirk {name}", partial(with_quirk, name), quick=True)
        for name in ("five-events-a-second", "times-in-whole-seconds", "events-in-pairs", "queued-in-silence")
    ),
)
