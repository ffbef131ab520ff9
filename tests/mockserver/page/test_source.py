"""The picture to start from, and its mask."""

from __future__ import annotations

import base64
import time

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.mockserver.page.studio import Pixels, Served, Studio, gradient, pixels_of

WHITE, BLACK = 255, 0


@pytest.fixture
def sourced(studio: Studio) -> Studio:
    """The page with a picture of the size that is asked for dropped on it."""
    studio.take_source(gradient(64, 64))
    studio.until(lambda: studio["source-canvas"].is_displayed())
    return studio


def sent(server: Served, name: str) -> Pixels:
    return pixels_of(base64.b64decode(server.last()[name]))


def test_a_dropped_picture_is_what_the_server_starts_from(sourced: Studio, server: Served) -> None:
    assert sourced["source-kind"].text == "img2img"
    sourced.set("denoise_strength", "0")
    sourced.paint("x")
    assert np.array_equal(sent(server, "image"), gradient(64, 64))
    assert server.last()["denoise_strength"] == 0
    assert "mask" not in server.last()
    assert server.asked[-1].breaches == ()
    assert np.array_equal(sourced.picture(), gradient(64, 64))


def test_a_picture_of_another_shape_is_cut_to_that_of_the_result(studio: Studio, server: Served) -> None:
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = gradient(64, 64)
    studio.take_source(wide)
    studio.until(lambda: studio["source-canvas"].is_displayed())
    studio.paint("x")
    assert np.array_equal(sent(server, "image"), gradient(64, 64))


def test_a_removed_picture_is_not_sent(sourced: Studio, server: Served) -> None:
    sourced.press("source-remove")
    assert not sourced["source-full"].is_displayed()
    sourced.paint("x")
    assert {"image", "mask", "denoise_strength"}.isdisjoint(server.last())


def test_what_is_no_picture_is_told(studio: Studio) -> None:
    studio.window.execute_script(
        """
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["words"], "notes.txt"));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        """
    )
    studio.until(lambda: "notes.txt is no picture" in studio.problem)


def test_the_picture_itself_can_be_started_from(studio: Studio, server: Served) -> None:
    studio.paint("x")
    made = studio.picture()
    studio.press("use")
    studio.until(lambda: studio["source-canvas"].is_displayed())
    studio.paint("y")
    assert np.array_equal(sent(server, "image"), made)


def test_a_mask_is_painted_with_the_mouse(sourced: Studio, server: Served) -> None:
    sourced.press("mask-open")
    canvas = sourced["mask-canvas"]
    seen = [canvas.rect]
    while not seen[-1]["width"] or seen[-1] not in seen[:-1]:  # the dialog is laid out, and has stopped moving
        time.sleep(0.1)
        seen.append(canvas.rect)
    brush = webdriver.ActionChains(sourced.window, duration=100)
    brush.move_to_element(canvas).pause(0.1).click_and_hold().pause(0.1).move_by_offset(8, 0).pause(
        0.1
    ).release().perform()
    sourced.press("mask-done")
    sourced.until(lambda: sourced["source-kind"].text == "inpaint")
    sourced.paint("x")
    mask = sent(server, "mask")
    assert (mask[32, 32] == WHITE).all()
    assert (mask[:16] == BLACK).all()
    assert (mask[-16:] == BLACK).all()
    made, source = sourced.picture(), gradient(64, 64)
    assert np.array_equal(made[mask == BLACK], source[mask == BLACK])
    assert not np.array_equal(made[28:36, 28:36], source[28:36, 28:36])


def test_a_mask_is_painted_with_the_keyboard(sourced: Studio, server: Served) -> None:
    sourced.press("mask-open")
    canvas = sourced.window.switch_to.active_element
    assert canvas.get_attribute("id") == "mask-canvas"
    canvas.send_keys(" ")  # in the middle
    canvas.send_keys(Keys.SHIFT, *[Keys.ARROW_LEFT] * 4, Keys.NULL, "e", Keys.ENTER, "b")  # erases where nothing is
    canvas.send_keys(Keys.ARROW_UP, Keys.ENTER)
    canvas.send_keys(Keys.CONTROL, "z")
    sourced.press("mask-invert")
    sourced.press("mask-done")
    sourced.paint("x")
    mask = sent(server, "mask")
    assert (mask[32, 32] == BLACK).all()
    assert (mask[0, 0] == WHITE).all()
    assert (mask[32, 6] == WHITE).all()


def test_a_mask_can_be_undone_erased_and_cleared(sourced: Studio, server: Served) -> None:
    sourced.press("mask-open")
    canvas = sourced["mask-canvas"]
    assert not sourced["mask-undo"].is_enabled()
    canvas.send_keys(" ")
    sourced.press("mask-undo")
    assert not sourced["mask-undo"].is_enabled()
    canvas.send_keys(" ", "e", *"]" * 10, " ")  # painted, and erased with a larger brush
    sourced.press("mask-done")
    assert sourced["source-kind"].text == "img2img"
    sourced.press("mask-open")
    sourced["mask-canvas"].send_keys("b", " ")
    sourced.press("mask-clear")
    sourced.press("mask-done")
    sourced.paint("x")
    assert "mask" not in server.last()


def test_a_mask_keeps_its_place_in_another_size(sourced: Studio, server: Served) -> None:
    sourced.press("mask-open")
    sourced["mask-canvas"].send_keys(" ")
    sourced.press("mask-done")
    sourced.set("width", "128")
    sourced.set("height", "128")
    sourced.paint("x")
    mask = sent(server, "mask")
    assert mask.shape == sent(server, "image").shape == (128, 128, 3)
    assert (mask[64, 64] == WHITE).all()
    assert (mask[:32] == BLACK).all()


def test_another_picture_begins_without_a_mask(sourced: Studio) -> None:
    sourced.press("mask-open")
    sourced["mask-canvas"].send_keys(" ")
    sourced.press("mask-done")
    sourced.take_source(gradient(32, 32))
    sourced.until(lambda: sourced["source-kind"].text == "img2img")
