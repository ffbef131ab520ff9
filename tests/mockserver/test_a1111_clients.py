"""The adapter as clients in the field call it, in their order: chat front ends, remotes, scripts for extras."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticDescription, SyntheticEngine
from local_dream_mockserver.server.engine import Cancelled, Rgb
from tests.mockserver.live_server import GatedEngine, eventually, serving

API = "/sdapi/v1/"
SMALL = {"prompt": "a red house", "steps": 3, "width": 24, "height": 16, "seed": 5}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(Pacing(first=0, step=0)), a1111=True, seed=9) as client:
        yield client


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture
def gated() -> Iterator[tuple[GatedEngine, httpx.Client]]:
    """An engine that takes a step when the test lets it, and a client of its server."""
    engine = GatedEngine()
    with serving(engine, a1111=True) as client:
        try:
            yield engine, client
        finally:
            engine.free.set()


def get(client: httpx.Client, path: str) -> Any:
    answer = client.get(API + path)
    assert answer.status_code == 200
    return answer.json()


def opened(image: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(base64.b64decode(image, validate=True))) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture)


def coded(width: int, height: int, **options: Any) -> str:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, "PNG", **options)
    return base64.b64encode(file.getvalue()).decode()


def test_a_front_end_that_sets_the_model_with_all_options(client: httpx.Client) -> None:
    """As Open WebUI: verifies the address, lists models, writes all options back with another model, generates."""
    options = get(client, "options")
    [model] = get(client, "sd-models")
    assert {"id": model["title"], "name": model["model_name"]} == {"id": "synthetic", "name": "synthetic"}
    options["sd_model_checkpoint"] = model["title"]
    assert client.post(API + "options", json=options, headers={"authorization": ""}).status_code == 200
    body = {"prompt": "a red house", "batch_size": 1, "width": 512, "height": 512, "steps": 2, "negative_prompt": "fog"}
    answer = client.post(API + "txt2img", json=body).json()
    assert opened(answer["images"][0]).shape == (512, 512, 3)
    info = json.loads(answer["info"])
    assert (info["all_prompts"], info["all_negative_prompts"]) == (["a red house"], ["fog"])


def test_a_front_end_that_fills_menus_and_waits_for_the_model(client: httpx.Client) -> None:
    """As SillyTavern: pings, fills its menus, sets a model, polls until nothing is loaded, generates."""
    assert "forge_preset" not in get(client, "options")
    names = [one["name"] for one in get(client, "upscalers")]
    names[1:1] = [one["name"] for one in get(client, "latent-upscale-modes")]
    assert names == ["None", "lanczos"]
    assert [one["model_name"] for one in get(client, "sd-vae")] == []
    assert client.get(API + "sd-modules").status_code == 404
    [sampler, *_] = [one["name"] for one in get(client, "samplers")]
    spacings = [one["name"] for one in get(client, "schedulers")]
    assert spacings == ["automatic", "karras"]
    assert client.post(API + "options", json={"sd_model_checkpoint": "synthetic"}).status_code == 200
    progress = get(client, "progress")
    assert (progress["progress"], progress["state"]["job_count"]) == (0.0, 0)
    for spacing in spacings:
        body = SMALL | {
            "sampler_name": sampler,
            "scheduler": spacing,
            "hr_upscaler": names[1],
            "enable_hr": False,
            "restore_faces": False,
            "override_settings": {"CLIP_stop_at_last_layers": 1},
            "override_settings_restore_afterwards": True,
            "clip_skip": 1,
            "save_images": True,
            "send_images": True,
            "do_not_save_grid": False,
        }
        assert client.post(API + "txt2img", json=body).status_code == 200


def begun(client: httpx.Client, threads: ThreadPoolExecutor, **fields: Any) -> Future[httpx.Response]:
    return threads.submit(client.post, API + "txt2img", json=SMALL | fields)


def until_step(client: httpx.Client, step: int) -> dict[str, Any]:
    """Polls as clients do, without pictures."""
    eventually(lambda: get(client, "progress?skip_current_image=true")["state"]["sampling_step"] == step)
    found: dict[str, Any] = get(client, "progress")
    return found


def test_progress_and_interrupt(gated: tuple[GatedEngine, httpx.Client], threads: ThreadPoolExecutor) -> None:
    engine, client = gated
    asked = begun(client, threads, steps=4, n_iter=2)
    engine.allow(2)
    shown = until_step(client, 2)
    assert shown["progress"] == pytest.approx(0.01 + 2 / 4 / 2)
    assert shown["eta_relative"] > 0
    state = shown["state"]
    assert (state["job"], state["job_count"], state["job_no"], state["sampling_steps"]) == ("txt2img", 2, 0, 4)
    assert opened(shown["current_image"]).shape == (16, 24, 3)
    assert get(client, "progress?skip_current_image=true")["current_image"] is None
    engine.allow(3)
    shown = until_step(client, 1)
    assert shown["state"]["job_no"] == 1
    assert shown["progress"] == pytest.approx(0.01 + (1 + 1 / 4) / 2)
    assert client.post(API + "interrupt").json() == {}
    answer = asked.result().json()
    assert len(answer["images"]) == 2
    assert json.loads(answer["info"])["all_seeds"] == [5, 6]
    assert get(client, "progress")["state"]["job_count"] == 0
    engine.wait_for(lambda: len(engine.ended) == 2)


def test_an_interrupt_leaves_those_that_wait_alone(
    gated: tuple[GatedEngine, httpx.Client], threads: ThreadPoolExecutor
) -> None:
    engine, client = gated
    first = begun(client, threads)
    engine.wait_for(lambda: len(engine.began) == 1)
    second = begun(client, threads, prompt="second")
    client.post(API + "interrupt")
    blank = opened(first.result().json()["images"][0])
    assert (blank.shape, set(blank.ravel().tolist())) == ((16, 24, 3), {127})
    engine.free.set()
    assert len(second.result().json()["images"]) == 1
    assert engine.began[1:] == ["second"]


def test_an_interrupt_with_nothing_under_way(client: httpx.Client) -> None:
    assert client.post(API + "interrupt").json() == {}
    assert client.post(API + "txt2img", json=SMALL).status_code == 200


def test_a_front_end_that_interrupts_and_hangs_up(
    gated: tuple[GatedEngine, httpx.Client], threads: ThreadPoolExecutor
) -> None:
    """As SillyTavern when its user stops: an interrupt, and the call is aborted at once."""
    engine, client = gated
    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.Client(base_url=client.base_url, timeout=0.2) as impatient,
    ):
        impatient.post(API + "txt2img", json=SMALL)
    client.post(API + "interrupt")
    engine.wait_for(lambda: engine.ended == ["a red house"])
    eventually(lambda: get(client, "progress")["state"]["job_count"] == 0)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"upscaler_1": "lanczos"}, (16, 24, 3)),
        ({"upscaler_1": "lanczos", "upscaling_resize": 4}, (32, 48, 3)),
        ({"upscaler_1": "lanczos", "upscaling_resize": 1.5}, (12, 18, 3)),
        ({"upscaler_1": "lanczos", "resize_mode": 1, "upscaling_resize_w": 30, "upscaling_resize_h": 30}, (30, 30, 3)),
        (
            {
                "upscaler_1": "lanczos",
                "resize_mode": 1,
                "upscaling_resize_w": 24,
                "upscaling_resize_h": 24,
                "upscaling_crop": False,
            },
            (24, 36, 3),
        ),
        ({}, (8, 12, 3)),
        ({"upscaler_1": "None", "upscaling_resize": 4}, (8, 12, 3)),
    ],
)
def test_extras(client: httpx.Client, fields: dict[str, Any], shape: tuple[int, ...]) -> None:
    body = {"image": f"data:image/png;base64,{coded(12, 8)}", "gfpgan_visibility": 0, "upscaler_2": "None"}
    answer = client.post(API + "extra-single-image", json=body | fields)
    assert answer.status_code == 200
    assert opened(answer.json()["image"]).shape == shape
    assert answer.json()["html_info"] == ""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"image": None}, "image: missing"),
        ({"image": "AAAA"}, "image: not a picture"),
        ({"upscaler_1": "R-ESRGAN 4x+"}, "upscaler_1: not one of None, lanczos"),
        ({"upscaler_1": 5}, "upscaler_1: not a string"),
        ({"upscaling_resize": -1}, "upscaling_resize: send a number above 0"),
        ({"upscaling_resize": 1e9}, "upscaling_resize: send a number above 0"),
        ({"resize_mode": 1, "upscaling_resize_w": "wide"}, "upscaling_resize_w: send a whole number"),
        ({"resize_mode": 1, "upscaling_resize_w": 10**6}, "upscaling_resize: 1000000x512 is more"),
    ],
)
def test_extras_that_cannot_be(client: httpx.Client, fields: dict[str, Any], words: str) -> None:
    answer = client.post(API + "extra-single-image", json={"image": coded(12, 8)} | fields)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(words)


def test_an_upscaler_that_fails_is_told_as_there() -> None:
    class Broken(SyntheticEngine):
        def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Rgb:
            raise MemoryError

    with serving(Broken(), a1111=True) as client:
        body = {"image": coded(12, 8), "upscaler_1": "lanczos"}
        answer = client.post(API + "extra-single-image", json=body)
        assert (answer.status_code, answer.json()) == (500, {"detail": "the engine failed (MemoryError)"})


def test_the_texts_of_a_picture(client: httpx.Client) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a red house\nSteps: 3")
    texts.add_text("Software", "a program")
    answer = client.post(API + "png-info", json={"image": coded(12, 8, pnginfo=texts)})
    assert answer.json() == {
        "info": "a red house\nSteps: 3",
        "items": {"Software": "a program"},
        "parameters": {},
    }
    made = client.post(API + "txt2img", json=SMALL).json()["images"][0]
    assert client.post(API + "png-info", json={"image": made}).json()["info"] == ""
    assert client.post(API + "png-info", json={"image": "AAAA"}).status_code == 422
    assert client.post(API + "png-info", json={}).status_code == 422


@pytest.mark.parametrize(
    "path",
    ["loras", "embeddings", "hypernetworks", "prompt-styles", "face-restorers", "realesrgan-models", "scripts"],
)
def test_menus_without_anything_in_them(client: httpx.Client, path: str) -> None:
    found = get(client, path)
    assert not any(found.values() if isinstance(found, dict) else found)


def test_lists_are_refreshed(client: httpx.Client) -> None:
    for path in ("refresh-checkpoints", "refresh-vae", "refresh-loras"):
        answer = client.post(API + path)
        assert (answer.status_code, answer.json()) == (200, None)


def test_spacings_that_the_engine_lacks_are_not_listed() -> None:
    class Few(SyntheticEngine):
        def describe(self) -> SyntheticDescription:
            return SyntheticDescription(schedulers=("dpm", "euler_a"))

    with serving(Few(), a1111=True) as client:
        assert [one["name"] for one in get(client, "schedulers")] == ["automatic"]


def test_pictures_are_left_out_where_nobody_wants_them(client: httpx.Client) -> None:
    answer = client.post(API + "txt2img", json=SMALL | {"send_images": False}).json()
    assert (answer["images"], json.loads(answer["info"])["seed"]) == ([], 5)
