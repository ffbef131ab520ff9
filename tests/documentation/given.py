"""What a reader has beside a page: a server of their own, the files that a page takes for granted, a client."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.documentation.blocks import Block

OWN = "local-dream mock --pace-first 0 --pace-step 0"
"""The reader's own server on port 8081, where a page begins with one."""
SERVERS = {
    "docs/phone.md": "local-dream mock --personality 2.7 --pace-first 0 --pace-step 0",
    "docs/waivers.md": "local-dream mock --pace-step 0.03 --fault steps-of-any-type",
    "docs/start/server.md#text": f"{OWN} --fault null-mask-400",
}
"""Other servers, where the page is about what such a one does; paced, where two runs have to judge the same."""
YOUR_SERVER = f'#!/bin/sh\nexec {OWN} "$@"\n'
MODEL = "local_dream_models/text_to_image"
"""Among the installed packages: what stands for PATH_OR_HUB_ID. Where it was served before, it is converted."""
DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b")
INSTALLED = ("pip install .", "pip install '.[reference]' ./reference_engine/models")
"""What the reader has done before a page that does not say it; the second where a page needs it."""
BEFOREHAND = {
    "docs/waivers.md": (
        "local-dream check http://127.0.0.1:8081 --json-report before.json || [ $? = 1 ]",
        "local-dream check http://127.0.0.1:8081 --waivers waivers.toml --json-report after.json",
    ),
}
"""What the reader has done before the first command of a page."""
CLIENT = '''
from threading import Event, Thread

import httpx
import pytest


class Client:
    """One that reads a stream in a thread, until it is told to stop."""

    def start(self, url, prompt):
        self._stopped = Event()
        self._thread = Thread(target=self._read, args=(url, prompt))
        self._thread.start()

    def _read(self, url, prompt):
        with httpx.stream("POST", f"{url}/generate", json={"prompt": prompt}) as answer:
            for event in answer.iter_lines():
                if event.startswith("data:") and '"step": 2' in event:
                    self._stopped.wait()
                    return

    def stop(self):
        self._stopped.set()
        self._thread.join()


@pytest.fixture
def my_client():
    return Client()
'''


def lay(folder: Path, page_blocks: list[Block]) -> None:
    """Writes into a fresh folder what the reader of a page has there."""
    server = folder / "your-server"
    server.write_text(YOUR_SERVER, encoding="utf-8")
    server.chmod(0o755)
    (folder / "conftest.py").write_text(CLIENT, encoding="utf-8")
    soon = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    for block in page_blocks:
        if block.language == "toml":  # a waiver's date is over one day, and the page is not
            (folder / "waivers.toml").write_text(DATE.sub(soon, block.text), encoding="utf-8")
