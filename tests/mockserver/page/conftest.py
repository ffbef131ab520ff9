"""One browser for each worker, and one server for each module: an origin of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from tests.conformance.report.chromium import asked, chromium, complaints
from tests.mockserver.page.studio import Served, Studio, served

EXPECTED = ("Failed to load resource", "blocked by CORS policy")


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as window:
        window.set_window_size(1280, 900)
        window.set_script_timeout(60)
        yield window


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as server:
        yield server


@pytest.fixture
def studio(window: webdriver.Chrome, server: Served) -> Iterator[Studio]:
    """The page, freshly loaded from a server that does nothing wrong; at the end the console has no complaints but
    those of answers that are errors."""
    server.orders.reset()
    server.journal.clear()
    window.get("about:blank")
    asked(window), complaints(window)
    yield Studio(window).open(server.url)
    told = [line for line in complaints(window) if not any(words in line for words in EXPECTED)]
    assert told == []


@pytest.fixture
def downloads(window: webdriver.Chrome, tmp_path: Path) -> Path:
    """The folder into which the browser saves."""
    window.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    return tmp_path
