"""Engines are loaded by name, and what cannot be loaded is one line."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import httpx
import pytest

from local_dream_mockserver.commands.startup_line import startup_line
from local_dream_mockserver.server import engines
from local_dream_mockserver.server.engines import CannotLoad, load_engine
from tests.mockserver.live_server import PATIENCE
from tests.mockserver.test_server import process


def test_an_engine_by_name_with_its_options() -> None:
    assert load_engine("synthetic", {"any_upscaler": "true"}).resolve_upscaler("/phone/x.bin") == "lanczos"


def without_torch(options: Mapping[str, str]) -> Any:
    raise ModuleNotFoundError("No module named 'torch'", name="torch")


def failing(options: Mapping[str, str]) -> Any:
    raise ValueError("two\nlines")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nope", {}, r"there is no engine 'nope'; installed are .*synthetic"),
        ("synthetic", {"zap": "1"}, r"option zap=1: use one of pace_first"),
        ("here", {}, r"the engine here needs torch, which is not installed: install it"),
        ("failing", {}, r"the engine failing cannot be loaded: ValueError: two lines"),
    ],
)
def test_what_cannot_be_loaded(
    name: str, options: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [*entry_points(group=engines.GROUP)]
    found += [
        EntryPoint("here", f"{__name__}:without_torch", engines.GROUP),
        EntryPoint("failing", f"{__name__}:failing", engines.GROUP),
    ]
    monkeypatch.setattr(engines, "entry_points", lambda group: found)
    with pytest.raises(CannotLoad, match=message) as caught:
        load_engine(name, options)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_told_with_the_extra_that_has_it() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from local_dream_mockserver.commands.serve import serve_command\n"
        "serve_command(['--port', '0'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (1, "")
    remedy = "pip install 'local-dream-conformance[reference]'"
    assert done.stderr == f"Error: the engine reference needs torch, which is not installed: {remedy}\n"


class Terminal(io.StringIO):
    """A terminal that tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


def test_a_terminal_sees_that_the_server_starts() -> None:
    terminal = Terminal()
    with startup_line("starting", terminal):
        assert terminal.written.wait(PATIENCE)
    assert terminal.getvalue().startswith("\r\x1b[Kstarting (0 s)")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_log_does_not() -> None:
    log = io.StringIO()
    with startup_line("starting", log):
        pass
    assert log.getvalue() == ""


def test_a_server_with_another_engine_that_only_upscales() -> None:
    with process("--engine", "synthetic", "--no-generate", module="local_dream_mockserver.commands.serve") as (_, url):
        assert httpx.post(f"{url}/generate", json={"prompt": "x"}).status_code == 404
        assert httpx.get(f"{url}/health").status_code == 200


def test_what_an_engine_is_made_of_is_not_gone_through_for_garbage() -> None:
    code = (
        "import gc\n"
        "from local_dream_mockserver.commands.serve import uncollected\n"
        "with uncollected():\n"
        "    during, made = gc.isenabled(), [[] for _ in range(100_000)]\n"
        "frozen, before = gc.get_freeze_count() >= len(made), gc.isenabled()\n"
        "try:\n"
        "    with uncollected():\n"
        "        raise ValueError\n"
        "except ValueError:\n"
        "    print(during, frozen, before, gc.isenabled())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True", "True", "True"]
