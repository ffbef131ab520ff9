"""Requests a second of the mock, a bare Starlette, and two mock servers from npm: ``python -m benchmarks.servers``.

All servers are up at the same time; in each round each is asked for a while, in turns, and its best round counts.
``wrk`` asks (Debian's package of that name): nothing written in Python is fast enough to find out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import httpx

from benchmarks.machine import core_seconds, load

SMALL = {"prompt": "a cat", "width": 128, "height": 64, "steps": 1, "seed": 7}
QUICK = ["--pace-first", "0", "--pace-step", "0"]
BARE = """
import json, sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

body = open(sys.argv[2], "rb").read()
events = [event + b"\\n\\n" for event in body.split(b"\\n\\n") if event]


async def health(request):
    return JSONResponse({"status": "ok"})


async def generate(request):
    json.loads(await request.body())

    async def stream():
        for event in events:
            yield event

    return StreamingResponse(stream(), media_type="text/event-stream")


app = Starlette(routes=[Route("/health", health), Route("/generate", generate, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""
LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = {body}
"""


def free_port() -> int:
    """A port that nothing listens on, now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: list[str], port: int) -> Iterator[tuple[int, float]]:
    """A server's process id, and the seconds until its first answer to GET /health."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        while time.perf_counter() - began < 60:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.005)
                if process.poll() is not None:
                    raise click.ClickException(f"{' '.join(command)} ended with {process.returncode}") from None
        else:
            raise click.ClickException(f"{' '.join(command)} did not answer within a minute")
        yield process.pid, time.perf_counter() - began
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def rate(url: str, seconds: float, script: Path | None) -> tuple[float, int]:
    """Answers a second with 16 connections, and how many of them were no success."""
    command = [
        "wrk",
        "-t",
        "1",
        "-c",
        "16",
        "-d",
        f"{max(round(seconds), 1)}s",
        *(["-s", str(script)] if script else []),
    ]
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    assert found
    return float(found[1]), int(failed[1]) if failed else 0


def ours(port: int, *more: str) -> list[str]:
    """The mock, without a wait."""
    return [sys.executable, "-m", "local_dream_mockserver.commands.mock", "--port", str(port), *QUICK, *more]


def recorded(folder: Path) -> tuple[Path, Path]:
    """What the mock answers to the request, and its contract as OpenAPI 3.1."""
    port = free_port()
    with started(ours(port), port):
        stream, contract = folder / "stream", folder / "openapi.json"
        stream.write_bytes(httpx.post(f"http://127.0.0.1:{port}/generate", json=SMALL).content)
        contract.write_bytes(httpx.get(f"http://127.0.0.1:{port}/openapi.json").content)
    return stream, contract


def version_of(peers: Path, package: str) -> str:
    """The version of an npm package in a folder."""
    return str(json.loads((peers / "node_modules" / package / "package.json").read_text("utf-8"))["version"])


def commands(folder: Path, peers: Path | None) -> dict[str, tuple[int, list[str]]]:
    """Port and command of each server."""
    stream, contract = recorded(folder)
    ports = [free_port() for _ in range(5)]
    found = {
        "mock": (ports[0], ours(ports[0])),
        "mock `--control`": (ports[1], ours(ports[1], "--control")),
        "bare Starlette, the same bytes": (ports[2], [sys.executable, "-c", BARE, str(ports[2]), str(stream)]),
    }
    if peers:
        bin = peers / "node_modules/.bin"
        prism = [str(bin / "prism"), "mock", "-p", str(ports[3]), "-v", "silent", str(contract)]
        mockoon = [str(bin / "mockoon-cli"), "start", "--data", str(contract), "--port", str(ports[4])]
        found[f"Prism {version_of(peers, '@stoplight/prism-cli')}"] = (ports[3], prism)
        found[f"Mockoon {version_of(peers, '@mockoon/cli')}"] = (ports[4], [*mockoon, "--disable-log-to-file"])
    return found


@click.command()
@click.option("--seconds", default=4.0, show_default=True, help="For each measurement.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--peers", type=click.Path(path_type=Path, exists=True), help="Folder with Prism and Mockoon from npm.")
def main(seconds: float, rounds: int, peers: Path | None) -> None:
    """Print a Markdown table."""
    if not shutil.which("wrk"):
        click.echo("Not measured: `wrk` is not installed.")
        return
    best: dict[tuple[str, str], float] = {}
    failed: dict[tuple[str, str], int] = {}
    starts: dict[str, float] = {}
    cost: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        script = folder / "generate.lua"
        script.write_text(LUA.format(body=json.dumps(json.dumps(SMALL))), encoding="utf-8")
        servers = commands(folder, peers)
        pids = {}
        for server, (port, command) in servers.items():
            pids[server], starts[server] = stack.enter_context(started(command, port))
        for _ in range(rounds):
            for path, body in (("/health", None), ("/generate", script)):
                for server, (port, _) in servers.items():
                    before = core_seconds(pids[server])
                    key = (server, path)
                    found, bad = rate(f"http://127.0.0.1:{port}{path}", seconds, body)
                    best[key] = max(best.get(key, 0), found)
                    failed[key] = failed.get(key, 0) + bad
                    spent = (core_seconds(pids[server]) - before) / max(found * max(round(seconds), 1), 1)
                    cost[key] = min(cost.get(key, spent), spent)
    click.echo(
        f"16 connections, {seconds:g} s, best of {rounds} rounds in turns; load {load()} at the end. "
        "A generation is of 128x64 in one step; the peers answer with a canned example.\n"
    )
    heads = (
        "server",
        "GET /health a second",
        "of the mock",
        "POST /generate a second",
        "of the mock",
        "CPU of one, ms",
    )
    click.echo(f"| {' | '.join(heads)} | to its first answer, s |")
    click.echo("|---" * (len(heads) + 1) + "|")
    for server in servers:
        health, generate = best[server, "/health"], best[server, "/generate"]
        note = " (no success)" if failed[server, "/generate"] else ""
        cells = [server, f"{health:,.0f}", f"{health / best['mock', '/health']:.2f}", f"{generate:,.0f}{note}"]
        cells += [f"{generate / best['mock', '/generate']:.2f}", f"{cost[server, '/generate'] * 1000:.2f}"]
        click.echo(f"| {' | '.join(cells)} | {starts[server]:.2f} |")


if __name__ == "__main__":
    main()
