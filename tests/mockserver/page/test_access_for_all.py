"""For those who see little, hear the page or have a small screen: a checker (axe), the keyboard, colours, widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from local_dream_mockserver.faults.catalogue import Fault
from tests.mockserver.page.studio import Served, Studio, gradient


def empty(studio: Studio, server: Served) -> None:
    pass


def painted(studio: Studio, server: Served) -> None:
    """With a picture, its enlargement, a source with a mask, and every field shown."""
    studio.window.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    studio.paint("x")
    studio.press("upscale")
    studio.settle()
    studio.press("use")
    studio.until(lambda: studio["source-canvas"].is_displayed())


def streamed(studio: Studio, server: Served) -> None:
    """With a stream that breaks the contract, and an answer that is no stream."""
    server.orders.order(Fault, ["step-goes-back@progress:3"], more=False)
    studio["tab-request"].send_keys(Keys.ARROW_RIGHT)
    studio.paint("x")


def refused(studio: Studio, server: Served) -> None:
    studio.set("steps", "1001")
    studio.paint("x")
    studio.set("steps", "0")
    studio.press("generate")


def masking(studio: Studio, server: Served) -> None:
    studio.take_source(gradient())
    studio.until(lambda: studio["source-canvas"].is_displayed())
    studio.press("mask-open")


def choosing(studio: Studio, server: Served) -> None:
    studio.press("server-button")
    studio["server-other"].send_keys(Keys.SPACE)


@pytest.mark.parametrize("state", [empty, painted, streamed, refused, masking, choosing])
def test_nothing_keeps_people_out(studio: Studio, server: Served, state: Callable[[Studio, Served], None]) -> None:
    state(studio, server)
    found = []
    for width in (1280, 390):
        with studio.width(width):
            for scheme in ("light", "dark"):
                studio.system(scheme)
                found += [f"{width} {scheme} {line}" for line in studio.barriers()]
    studio.system("")
    assert found == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("state", [empty, painted, streamed, choosing])
def test_nothing_is_wider_than_the_window(
    studio: Studio, server: Served, state: Callable[[Studio, Served], None], width: int
) -> None:
    state(studio, server)
    with studio.width(width):
        assert studio.window.execute_script("return document.documentElement.scrollWidth") <= width


def test_colours_follow_the_system_and_the_button(studio: Studio, server: Served) -> None:
    def paper() -> str:
        return studio.window.find_element("tag name", "body").value_of_css_property("background-color")

    studio.system("light")
    light = paper()
    studio.system("dark")
    dark = paper()
    assert light != dark
    studio.press("theme")
    assert paper() == light
    studio.open(server.url)
    assert paper() == light  # the choice is kept
    studio.press("theme")
    assert paper() == dark
    studio.window.execute_script("localStorage.clear()")
    studio.system("")


def test_a_screen_reader_hears_how_it_goes(studio: Studio) -> None:
    studio.window.execute_script(
        """
        window.heard = [];
        new MutationObserver(() => {
          const { textContent } = document.getElementById("announcements");
          if (textContent) window.heard.push(textContent);
        }).observe(document.getElementById("announcements"), { childList: true, characterData: true, subtree: true });
        """
    )
    studio.set("seed", "7")
    studio.paint("x")
    studio.until(lambda: "Done: 64 by 64 pixels, seed 7" in studio.window.execute_script("return window.heard"))


def test_the_focus_is_seen_everywhere_and_goes_through_the_page(studio: Studio) -> None:
    studio["f-prompt"].send_keys("x")
    seen = []
    for _ in range(60):
        active = studio.window.switch_to.active_element
        name = active.get_attribute("id") or active.accessible_name or active.id
        if active.tag_name == "body" or name in seen:
            break
        seen.append(name)
        styled = active.get_attribute("type") in ("radio", "file")  # what stands for them shows it
        assert styled or active.value_of_css_property("outline-style") != "none", name
        webdriver.ActionChains(studio.window).send_keys(Keys.TAB).perform()
    ways = {"f-prompt", "f-negative_prompt", "generate", "source-file", "f-steps", "tab-request", "snippet"}
    assert ways <= set(seen)
    assert "tab-stream" not in seen  # one stop for all tabs; arrow keys go on
