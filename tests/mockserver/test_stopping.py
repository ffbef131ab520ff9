"""A process that is told to stop ends soon and in order, whatever its engine is at."""

from __future__ import annotations

import signal
import subprocess
import sys
from textwrap import dedent

import httpx

from tests.mockserver.live_server import PATIENCE, events_of, small

STUBBORN = """
    import time
    from local_dream_mockserver.mock.synthetic import SyntheticEngine
    from local_dream_mockserver.server.app import create_app
    from local_dream_mockserver.server.run import serve

    class Stubborn(SyntheticEngine):
        def generate(self, request, cancelled):
            for made in super().generate(request, cancelled):
                yield made
                time.sleep(3600)

        def upscale(self, *args):
            time.sleep(3600)

    serve(create_app(Stubborn()), "127.0.0.1", 0, "stubborn")
"""


def test_an_engine_that_does_not_stop_does_not_keep_the_process() -> None:
    command = [sys.executable, "-c", dedent(STUBBORN)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[1]
            with (
                httpx.Client(base_url=url, timeout=PATIENCE) as client,
                client.stream("POST", "/generate", json=small()) as first,
                client.stream("POST", "/generate", json=small()) as second,
            ):
                server.send_signal(signal.SIGTERM)
                for answer in (first, second):
                    assert events_of(answer.read().decode())[-1]["type"] == "error"
            _, errors = server.communicate(timeout=PATIENCE)
        finally:
            server.kill()
    assert (server.returncode, errors) == (0, "")
