"""Headless Chromium with its driver, as Debian packages them. Nothing is downloaded: what is missing is named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver", "chromium-chromedriver")
QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without these a fresh Chromium looks for updates and the like."""


def _found(names: tuple[str, ...]) -> str:
    return next((path for name in names if (path := shutil.which(name))), "")


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile in the folder `profile`. Skips where there is none; in CI that is a failure."""
    browser, driver = _found(BROWSERS), _found(DRIVERS)
    if not browser or not driver:
        missing = " and ".join(name for name, path in (("chromium", browser), ("chromedriver", driver)) if not path)
        words = f"{missing} not found (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses to sandbox itself as root
    for flag in (*QUIET, f"--user-data-dir={profile}", *sandbox):
        options.add_argument(flag)
    window = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield window
    finally:
        window.quit()


def asked(window: webdriver.Chrome) -> list[str]:
    """The addresses that the page has asked for since the last call."""
    messages = [json.loads(line["message"])["message"] for line in _log(window, "performance")]
    return [line["params"]["request"]["url"] for line in messages if line["method"] == "Network.requestWillBeSent"]


def complaints(window: webdriver.Chrome) -> list[str]:
    """What the console has said since the last call."""
    return [line["message"] for line in _log(window, "browser")]


def _log(window: webdriver.Chrome, name: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = window.get_log(name)  # type: ignore[no-untyped-call]
    return lines
