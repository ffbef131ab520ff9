"""The page on the real engine: the shipped model behind `local-dream serve`, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from local_dream_conformance.run.server_process import SERVERS, ServerProcess
from tests.conformance.report.chromium import asked, chromium, complaints
from tests.mockserver.page.studio import Studio, gradient, served

PATIENCE = 300.0
ARGUMENTS = ("--port", "0", "--cors", "--threads", "1", "--device", "cpu", "-o", "runtime=torch")


@pytest.fixture(scope="module")
def url(cache: None) -> Iterator[str]:
    server = ServerProcess("reference", replace(SERVERS["reference"], arguments=ARGUMENTS))
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as window:
        window.set_window_size(1280, 900)
        yield window


@pytest.fixture
def studio(window: webdriver.Chrome, url: str) -> Iterator[Studio]:
    window.get("about:blank")
    asked(window), complaints(window)
    studio = Studio(window, PATIENCE).open(url, steps="3", edge="128")
    yield studio
    assert [line for line in complaints(window) if "Failed to load resource" not in line] == []


def stream(studio: Studio) -> str:
    return studio["stream-summary"].get_attribute("textContent") or ""


def test_it_paints_with_previews_and_enlarges(studio: Studio) -> None:
    studio.window.execute_script(
        """
        window.previews = 0;
        new MutationObserver(() => { window.previews += document.getElementById("stage").dataset.preview === "yes"; })
          .observe(document.getElementById("stage"), { attributes: true, attributeFilter: ["data-preview"] });
        """
    )
    studio.set("seed", "7")
    studio.paint("a red house by the sea")
    assert (studio.state, studio.problem) == ("done", "")
    assert stream(studio).endswith("holds the contract"), stream(studio)
    assert studio.window.execute_script("return window.previews") >= 1
    first = studio.picture()
    assert first.shape == (128, 128, 3)
    assert first.std() > 8
    studio.press("upscale")
    studio.settle()
    assert studio.problem == ""
    assert studio.fact("size") == "512 \u00d7 512"
    studio.paint("a red house by the sea")
    assert np.abs(studio.picture().astype(int) - first).mean() < 1


def test_it_repaints_what_is_masked_and_keeps_the_rest(studio: Studio) -> None:
    studio.take_source(gradient(128, 128))
    studio.until(lambda: studio["source-canvas"].is_displayed())
    studio.press("mask-open")
    studio["mask-canvas"].send_keys(*"]" * 6, " ")
    studio.press("mask-done")
    studio.set("denoise_strength", "1")
    studio.paint("a yellow boat")
    assert (studio.state, studio.problem) == ("done", "")
    assert stream(studio).endswith("holds the contract"), stream(studio)
    changed = np.abs(studio.picture().astype(int) - gradient(128, 128)).mean(axis=-1)
    assert changed[:24].mean() < 3
    assert changed[52:76, 52:76].mean() > 8


def test_cancelling_frees_the_engine(studio: Studio) -> None:
    studio.set("steps", "500")
    studio.set("prompt", "never mind")
    studio.press("generate")
    studio.until(lambda: studio["work"].text.startswith("Step "))
    studio.press("cancel")
    studio.settle()
    assert (studio.state, studio.problem) == ("empty", "")
    studio.set("steps", "1")
    studio.paint("x")
    assert studio.state == "done"


def test_errors_are_told_as_the_server_said_them(studio: Studio) -> None:
    studio.set("width", "16384")
    studio.paint("x")
    assert studio.problem.startswith("Status 400")
    assert "16384" in studio.problem
    assert stream(studio) == "Status 400 \u00b7 holds the contract"


def test_the_page_of_another_server_uses_it(window: webdriver.Chrome, url: str) -> None:
    with served() as mock:
        studio = Studio(window, PATIENCE).open(mock.url, steps="2", edge="128")
        studio.press("server-button")
        studio["server-other"].send_keys(Keys.SPACE)
        studio["server-address"].send_keys(url, Keys.ENTER)
        studio.paint("two yellow boats")
        assert (studio.state, studio.problem) == ("done", "")
        assert stream(studio).endswith("holds the contract"), stream(studio)
        assert mock.asked == []
