"""The HTML report in a real browser, opened as a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from local_dream_conformance.report import html
from tests.conformance.report import results
from tests.conformance.report.chromium import asked, chromium, complaints
from tests.conformance.report.results import HOSTILE

ALL = {"HLT-01", "GEN-EVT-12", "UPS-ANS-02", "GEN-EVT-16", "ERR-01", "GEN-EVT-13", "GEN-PIC-03"}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report on a hostile target."""
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html.page(*results.failing(HOSTILE)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(window: webdriver.Chrome, report: str) -> Iterator[webdriver.Chrome]:
    """The report, freshly loaded; at the end nothing may have been fetched, and the console must be empty."""
    window.get("about:blank")
    asked(window), complaints(window)
    window.get(report)
    yield window
    assert [address for address in asked(window) if not address.startswith("data:")] == [report]
    assert complaints(window) == []
    assert window.title.startswith("Not conformant")


def press(page: webdriver.Chrome, *keys: str) -> None:
    webdriver.ActionChains(page).send_keys(*keys).perform()


def shown(page: webdriver.Chrome) -> set[str]:
    return {element.get_attribute("id") or "" for element in requirements(page) if element.is_displayed()}


def requirements(page: webdriver.Chrome) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, "details.requirement")


def count(page: webdriver.Chrome) -> str:
    return page.find_element(By.ID, "shown").text


def test_search_by_keyboard(page: webdriver.Chrome) -> None:
    assert (shown(page), count(page)) == (ALL, "7 of 7 shown")
    press(page, "/")
    assert page.switch_to.active_element.get_attribute("id") == "search"
    press(page, "terminal EXACTLY")
    assert (shown(page), count(page)) == ({"GEN-EVT-12"}, "1 of 7 shown")
    assert not page.find_element(By.ID, "part-waived").is_displayed()
    press(page, Keys.ESCAPE)
    assert shown(page) == ALL
    press(page, "nothing has these words")
    assert shown(page) == set()
    assert page.find_element(By.ID, "none").is_displayed()
    page.find_element(By.ID, "clear").send_keys(Keys.ENTER)
    assert shown(page) == ALL


def test_filter_by_keyboard(page: webdriver.Chrome) -> None:
    press(page, "/", Keys.TAB)
    assert page.switch_to.active_element.get_attribute("value") == "fail"
    press(page, Keys.SPACE)
    assert shown(page) == ALL - {"GEN-EVT-12", "UPS-ANS-02"}
    press(page, Keys.TAB, Keys.SPACE)
    assert shown(page) == ALL - {"GEN-EVT-12", "UPS-ANS-02", "GEN-EVT-16"}


def test_a_requirement_opens_by_keyboard(page: webdriver.Chrome) -> None:
    entry = page.find_element(By.ID, "ERR-01")
    assert entry.get_attribute("open") is None
    entry.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert entry.get_attribute("open") is not None
    assert "expected" in entry.text


def test_a_link_reveals_a_requirement_that_the_filter_hides(page: webdriver.Chrome) -> None:
    press(page, "/", "terminal")
    link = page.find_element(By.CSS_SELECTOR, ".reasons a[href='#GEN-PIC-03']")
    link.send_keys(Keys.ENTER)
    entry = page.find_element(By.ID, "GEN-PIC-03")
    assert entry.is_displayed()
    assert entry.get_attribute("open") is not None


def test_colours_follow_the_system_and_the_button(page: webdriver.Chrome) -> None:
    def paper() -> str:
        return page.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")

    def system(scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    system("light")
    light = paper()
    system("dark")
    dark = paper()
    assert light != dark
    button = page.find_element(By.ID, "theme")
    button.send_keys(Keys.ENTER)
    first = paper()
    button.send_keys(Keys.ENTER)
    assert {first, paper()} == {light, dark}
    system("")


def test_pictures_are_decoded(page: webdriver.Chrome) -> None:
    page.find_element(By.ID, "open").send_keys(Keys.ENTER)
    pictures = page.find_elements(By.TAG_NAME, "img")
    assert pictures
    for picture in pictures:
        assert picture.get_property("naturalWidth") != 0
        assert picture.accessible_name


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_window(page: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.find_element(By.ID, "open").send_keys(Keys.ENTER)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_all_is_there_without_script(window: webdriver.Chrome, report: str) -> None:
    window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        window.get(report)
        assert not window.find_element(By.ID, "filter").is_displayed()
        assert not any(button.is_displayed() for button in window.find_elements(By.TAG_NAME, "button"))
        assert window.find_element(By.ID, "GEN-EVT-12").is_displayed()
        window.find_element(By.CSS_SELECTOR, "#ERR-01 summary").send_keys(Keys.ENTER)
        assert window.find_element(By.CSS_SELECTOR, "#ERR-01 .finding").is_displayed()
    finally:
        window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
