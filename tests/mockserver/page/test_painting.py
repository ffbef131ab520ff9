"""From the form to the picture: what is sent, what is shown while the server works, and at its end."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.keys import Keys

from local_dream_mockserver.server.page import door
from local_dream_mockserver.server.page.files import static_file
from local_dream_mockserver.server.spec import load_spec
from tests.conformance.report.chromium import asked
from tests.mockserver.live_server import PATIENCE, GatedEngine
from tests.mockserver.page.studio import Served, Studio, gradient, picture_of, pixels_of, served


def schema(name: str) -> dict[str, dict[str, object]]:
    properties: dict[str, dict[str, object]] = load_spec()["components"]["schemas"][name]["properties"]
    return properties


def of_server(server: Served, **fields: object) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """What a client without a page gets for the same request."""
    answer = httpx.post(f"{server.url}/generate", json=fields, timeout=PATIENCE)
    return picture_of(answer.text)[0]


@contextmanager
def gated() -> Iterator[tuple[GatedEngine, Served]]:
    engine = GatedEngine()
    with served(engine) as server:
        try:
            yield engine, server
        finally:
            engine.free.set()
            engine.may_upscale.set()


def test_the_form_is_the_contract(studio: Studio, server: Served) -> None:
    studio.window.get(server.url)
    studio.until(lambda: studio.window.execute_script("return document.body.dataset.ready") == "yes")
    for name, field in schema("GenerateRequest").items():
        if name in ("image", "mask"):
            continue
        control = studio[f"f-{name}"]
        assert studio.all(f"label[for=f-{name}]")
        for keyword, attribute in (("minimum", "min"), ("maximum", "max")):
            if keyword in field:
                assert control.get_attribute(attribute) == str(field[keyword]), name
        default = field.get("default")
        if name == "show_diffusion_process":
            assert control.is_selected()  # the page is here to be watched
        elif isinstance(default, bool):
            assert control.is_selected() == default
        else:
            assert control.get_property("value") == ("" if default is None else str(default)), name
    assert {name for name in schema("GenerateExtensions") if studio[f"f-{name}"]} == set(schema("GenerateExtensions"))
    studio["f-prompt"].send_keys("x", Keys.CONTROL, Keys.ENTER)
    studio.until(lambda: studio.state == "done")
    assert server.last() == {"prompt": "x", "show_diffusion_process": True}


def test_a_field_that_the_contract_gains_appears_by_itself(
    studio: Studio, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = copy.deepcopy(load_spec())
    document["components"]["schemas"]["GenerateRequest"]["properties"] |= {
        "clip_skip": {"type": ["integer", "null"], "minimum": 1, "maximum": 12, "default": 1},
        "depth": {"type": ["string", "null"], "contentEncoding": "base64", "default": None},
        "tiling": {"type": ["boolean", "null"], "default": False},
    }
    monkeypatch.setattr(door, "editions", lambda: {"3.2": static_file("openapi.json", json.dumps(document).encode())})
    studio.open(server.url)
    studio.set("clip_skip", "2")
    studio["f-tiling"].send_keys(Keys.SPACE)
    studio.paint("x")
    sent = server.last()
    assert (sent["clip_skip"], sent["tiling"], "depth" in sent) == (2, True, False)
    assert studio["f-depth"].get_attribute("type") == "file"
    studio.set("clip_skip", "13")
    studio["generate"].send_keys(Keys.ENTER)
    assert studio["f-clip_skip-error"].text == "Clip skip must be 12 or less."


def test_the_picture_is_the_server_s(studio: Studio, server: Served) -> None:
    studio.set("seed", "7")
    studio.paint("a red house")
    assert studio.state == "done"
    sent = server.last()
    assert sent == {
        "prompt": "a red house",
        "steps": 3,
        "width": 64,
        "height": 64,
        "seed": 7,
        "show_diffusion_process": True,
    }
    assert np.array_equal(studio.picture(), of_server(server, **sent))
    assert studio.fact("seed") == "7"
    assert studio.fact("size") == "64 \u00d7 64"
    assert studio.fact("time").endswith(" s")
    assert {address.partition("?")[0].rpartition("/")[0] for address in asked(studio.window)} <= {
        server.url,
        f"{server.url}/page",
        f"{server.url}/page/js",
        "data:image",
    }


@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_pictures_in_other_formats_are_shown(studio: Studio, server: Served, format: str) -> None:
    studio.window.execute_script("document.getElementById('extensions').open = true")
    for name in ("output_format", "preview_format"):
        studio[f"f-{name}"].send_keys(format)
    studio.set("seed", "7")
    studio.paint("a red house")
    assert (server.last()["output_format"], server.last()["preview_format"]) == (format, format)
    raw = of_server(server, prompt="a red house", steps=3, width=64, height=64, seed=7)
    assert np.abs(studio.picture().astype(int) - raw).mean() < (0.01 if format == "png" else 8)


def test_previews_come_while_the_server_works(studio: Studio) -> None:
    with gated() as (engine, server):
        studio.open(server.url)
        studio.set("prompt", "x")
        studio.press("generate")
        engine.allow(2)
        studio.until(lambda: studio["work"].text == "Step 2 of 3")
        studio.until(lambda: studio["stage"].get_attribute("data-preview") == "yes")
        assert studio["bar"].get_property("value") == 2
        assert studio.picture().shape == (64, 64, 3)
        assert studio["picture"].is_displayed()
        engine.free.set()
        studio.settle()
        assert studio.state == "done"


@pytest.mark.parametrize("key", ["button", "escape"])
def test_cancelling_frees_the_engine(studio: Studio, key: str) -> None:
    with gated() as (engine, server):
        studio.open(server.url)
        studio.set("prompt", "never mind")
        studio.press("generate")
        engine.allow(1)
        studio.until(lambda: studio["work"].text == "Step 1 of 3")
        if key == "button":
            studio.press("cancel")
        else:
            studio["server-button"].send_keys(Keys.ESCAPE)
        engine.wait_for(lambda: engine.ended == ["never mind"])
        studio.settle()
        assert (studio.state, studio.problem) == ("empty", "")
        engine.free.set()
        studio.paint("x")
        assert studio.state == "done"


def test_a_second_press_asks_for_nothing(studio: Studio) -> None:
    with gated() as (engine, server):
        studio.open(server.url)
        studio.set("prompt", "x")
        studio["f-prompt"].send_keys(Keys.CONTROL, Keys.ENTER)
        studio["f-prompt"].send_keys(Keys.CONTROL, Keys.ENTER)
        engine.free.set()
        studio.settle()
        assert engine.began == ["x"]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("prompt", "", "Prompt is needed."),
        ("steps", "0", "Steps must be 1 or more."),
        ("steps", "1.5", "Steps must be a whole number."),
        ("width", "60", "Width must be a multiple of 8."),
        ("seed", "4294967296", "Seed must be 4294967295 or less."),
        ("aspect_ratio", "wide", "Aspect ratio has another form than 16:9."),
    ],
)
def test_what_the_contract_does_not_have_is_told_at_the_field(
    studio: Studio, server: Served, field: str, value: str, why: str
) -> None:
    studio.set("prompt", "x")
    studio.window.execute_script("document.getElementById('extensions').open = true")
    studio.set(field, value)
    studio.press("generate")
    assert studio[f"f-{field}-error"].text == why
    assert studio[f"f-{field}"].get_attribute("aria-invalid") == "true"
    assert studio.window.switch_to.active_element == studio[f"f-{field}"]
    assert server.asked == []
    studio.set(field, {"prompt": "y", "aspect_ratio": "2:1"}.get(field, "8"))
    assert not studio[f"f-{field}-error"].is_displayed()
    studio.press("generate")
    studio.settle()
    assert len(server.asked) == 1


def test_a_click_in_the_history_brings_picture_and_parameters_back(studio: Studio, server: Served) -> None:
    studio.take_source(gradient())
    studio.until(lambda: studio["source-canvas"].is_displayed())
    studio.set("denoise_strength", "0.4")
    studio.paint("the first")
    first, sent = studio.picture(), server.last()
    studio.press("source-remove")
    studio.set("cfg", "3")
    studio["f-scheduler"].send_keys("euler_a")
    studio.paint("the second")
    second = studio.picture()
    assert not np.array_equal(first, second)
    newer, older = studio.all("#history-list button")
    assert newer.get_attribute("aria-pressed") == "true"
    older.send_keys(Keys.ENTER)
    studio.until(lambda: np.array_equal(studio.picture(), first))
    studio.until(lambda: studio["source-canvas"].is_displayed())
    assert studio["f-prompt"].get_property("value") == "the first"
    assert studio["f-cfg"].get_property("value") == "7.5"
    assert older.get_attribute("aria-pressed") == "true"
    studio.press("keep-seed")
    studio.press("generate")
    studio.settle()
    again = server.last()
    assert {**again, "image": None} == {**sent, "image": None, "seed": again["seed"]}
    assert np.array_equal(decoded(again["image"]), decoded(sent["image"]))
    assert np.array_equal(studio.picture(), first)


def decoded(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return pixels_of(base64.b64decode(text))


def test_the_picture_can_be_saved(studio: Studio, downloads: Path) -> None:
    studio.set("seed", "7")
    studio.paint("a red house")
    studio.press("save")
    file = studio.saved(downloads / "local-dream-7.png")
    with Image.open(file) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), studio.picture())


def test_a_picture_is_enlarged_and_compared(studio: Studio, server: Served, downloads: Path) -> None:
    studio.set("width", "40")
    studio.set("seed", "7")
    studio.paint("a red house")
    small = studio.picture()
    studio.press("upscale")
    studio.until(lambda: not studio.busy)
    assert studio.problem == ""
    asked_for = server.asked[-1]
    assert (asked_for.path, asked_for.body) == ("/upscale", small.tobytes())
    assert asked_for.breaches == ()
    assert studio["compare"].is_displayed()
    assert studio["large"].get_property("naturalWidth") == 160
    assert studio.fact("size") == "160 \u00d7 256"
    slider = studio["compare-range"]
    for key, split in ((Keys.END, "100%"), (Keys.HOME, "0%")):
        slider.send_keys(key)
        assert studio["compare"].get_attribute("style") == f"--split: {split};"
        assert studio["large"].value_of_css_property("clip-path").endswith(f"{split})")
    studio.press("save")
    file = studio.saved(downloads / "local-dream-7-4x.jpg")
    with Image.open(file) as image:
        assert image.size == (160, 256)


def test_an_upscale_can_be_cancelled(studio: Studio) -> None:
    with gated() as (engine, server):
        engine.free.set()
        studio.open(server.url)
        studio.paint("x")
        studio.press("upscale")
        engine.wait_for(lambda: "upscale" in engine.began)
        studio.press("cancel")
        engine.wait_for(lambda: "upscale" in engine.ended)
        studio.settle()
        assert (studio.state, studio.problem, studio["compare"].is_displayed()) == ("done", "", False)


def test_hostile_words_are_words(studio: Studio) -> None:
    words = "<img src=x onerror=alert(1)> ${7*7} </script> 'q' \"d\" \u202e 고양이 🎨"
    studio.window.execute_script("arguments[0].value = arguments[1]", studio["f-prompt"], words)
    studio.press("generate")
    studio.settle()
    assert studio.state == "done"
    assert (
        studio.all("#history-list button")[0].get_attribute("aria-label")
        == f"Picture 1: {words} (seed {studio.fact('seed')})"
    )
    assert studio.all("img[src=x]") == []
