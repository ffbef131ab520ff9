"""The adapter for AUTOMATIC1111's clients."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticDescription, SyntheticEngine
from tests.mockserver.live_server import GatedEngine, events_of, serving

WANTED = {
    "prompt": "a red house",
    "steps": 3,
    "width": 24,
    "height": 16,
    "seed": 5,
    "cfg_scale": 7,
    "alwayson_scripts": {},
}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(Pacing(first=0, step=0)), a1111=True, seed=9) as client:
        yield client


def opened(image: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(image, validate=True)))


def png(colour: str) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), colour).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_txt2img_is_the_picture_of_generate(client: httpx.Client) -> None:
    answer = client.post("/sdapi/v1/txt2img", json=WANTED | {"sampler_name": "DPM++ 2M"}).json()
    [image] = answer["images"]
    assert (opened(image).format, opened(image).size) == ("PNG", (24, 16))
    info = json.loads(answer["info"])
    assert (info["seed"], info["all_seeds"], info["steps"]) == (5, [5], 3)
    assert answer["parameters"]["prompt"] == "a red house"
    ours = {"prompt": "a red house", "steps": 3, "width": 24, "height": 16, "seed": 5, "cfg": 7}
    complete = events_of(client.post("/generate", json=ours).text)[-1]
    assert np.asarray(opened(image)).tobytes() == base64.b64decode(complete["image"])


def test_what_is_left_out_has_its_defaults(client: httpx.Client) -> None:
    answer = client.post("/sdapi/v1/txt2img", json={}).json()
    info = json.loads(answer["info"])
    assert (info["width"], info["height"], info["steps"], info["sampler_name"]) == (512, 512, 50, "euler_a")


def test_several_pictures_have_seeds_in_a_row(client: httpx.Client) -> None:
    answer = client.post("/sdapi/v1/txt2img", json=WANTED | {"batch_size": 2, "n_iter": 2}).json()
    assert json.loads(answer["info"])["all_seeds"] == [5, 6, 7, 8]
    assert len(set(answer["images"])) == 4


def test_seed_minus_one_is_random(client: httpx.Client) -> None:
    seeds = {
        json.loads(client.post("/sdapi/v1/txt2img", json=WANTED | {"seed": -1}).json()["info"])["seed"] for _ in "ab"
    }
    assert len(seeds) == 2


def test_img2img_starts_from_the_picture_and_keeps_what_the_mask_keeps(client: httpx.Client) -> None:
    def made(**fields: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
        body = WANTED | {"init_images": [f"data:image/png;base64,{png('teal')}"]} | fields
        return np.asarray(opened(client.post("/sdapi/v1/img2img", json=body).json()["images"][0]))

    start = np.asarray(Image.new("RGB", (24, 16), "teal"))
    assert np.array_equal(made(denoising_strength=0), start)
    assert not np.array_equal(made(), start)
    assert np.array_equal(made(mask=png("black")), start)
    for nothing in (None, 0, False):
        assert np.array_equal(made(mask=png("black"), inpainting_mask_invert=nothing), start)
    for inverted in (1, True):
        assert np.array_equal(made(mask=png("white"), inpainting_mask_invert=inverted), start)
        whole = made(mask=png("white"))
        assert np.array_equal(made(mask=png("black"), inpainting_mask_invert=inverted), whole)
        assert np.array_equal(made(inpainting_mask_invert=inverted), made())


@pytest.mark.parametrize(
    ("sampler", "status"),
    [
        ({"sampler_name": "Euler a"}, 200),
        ({"sampler_index": "Euler"}, 200),
        ({"sampler_name": "DPM++ 2M Karras"}, 200),
        ({"sampler_name": "DPM++ 2M", "scheduler": "Karras"}, 200),
        ({"sampler_name": "euler_a"}, 200),
        ({"sampler_name": "Heun"}, 404),
        ({"sampler_name": "LCM", "scheduler": "Karras"}, 404),
    ],
)
def test_samplers_by_their_names_there(client: httpx.Client, sampler: dict[str, str], status: int) -> None:
    response = client.post("/sdapi/v1/txt2img", json=WANTED | sampler)
    assert response.status_code == status
    if status == 404:
        assert response.json() == {"detail": "Sampler not found"}


def test_every_sampler_that_is_listed_works(client: httpx.Client) -> None:
    listed = [sampler["name"] for sampler in client.get("/sdapi/v1/samplers").json()]
    assert listed == [
        "DPM++ 2M",
        "DPM++ 2M Karras",
        "Euler a",
        "Euler a Karras",
        "Euler",
        "Euler Karras",
        "LCM",
        "DPM++ 2M SDE",
        "DPM++ 2M SDE Karras",
    ]
    for name in listed:
        assert client.post("/sdapi/v1/txt2img", json=WANTED | {"sampler_name": name}).status_code == 200


def test_only_what_the_engine_has_is_listed() -> None:
    class Few(SyntheticEngine):
        def describe(self) -> SyntheticDescription:
            return SyntheticDescription(schedulers=("dpm", "euler_a"))

    with serving(Few(), a1111=True) as client:
        assert [sampler["name"] for sampler in client.get("/sdapi/v1/samplers").json()] == ["DPM++ 2M", "Euler a"]


def test_the_model_and_the_options(client: httpx.Client) -> None:
    [model] = client.get("/sdapi/v1/sd-models").json()
    assert model["title"] == client.get("/sdapi/v1/options").json()["sd_model_checkpoint"] == "synthetic"
    for known in ({"sd_model_checkpoint": "synthetic"}, {"CLIP_stop_at_last_layers": 2}, {}):
        answer = client.post("/sdapi/v1/options", json=known)
        assert (answer.status_code, answer.json()) == (200, None)
    other = client.post("/sdapi/v1/options", json={"sd_model_checkpoint": "other"})
    assert (other.status_code, other.json()["errors"]) == (500, "model 'other' not found")
    assert client.get("/sdapi/v1/options").json()["sd_model_checkpoint"] == "synthetic"


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("txt2img", {"width": "wide"}, 422, "width: "),
        ("txt2img", {"steps": 0}, 422, "steps: 0"),
        ("txt2img", {"batch_size": 17}, 422, "batch_size, n_iter: "),
        ("txt2img", {"n_iter": "2"}, 422, "batch_size, n_iter: "),
        ("img2img", {}, 404, "Init image not found"),
        ("img2img", {"init_images": [5]}, 404, "Init image not found"),
        ("img2img", {"init_images": ["AAAA"]}, 422, "image: not a picture"),
    ],
)
def test_a_refusal_is_told_as_there(
    client: httpx.Client, path: str, body: dict[str, Any], status: int, detail: str
) -> None:
    response = client.post(f"/sdapi/v1/{path}", json=WANTED | body)
    assert response.status_code == status
    assert response.json()["detail"].startswith(detail)


def test_hanging_up_frees_the_engine() -> None:
    engine = GatedEngine()
    with serving(engine, a1111=True) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/sdapi/v1/txt2img", json=WANTED, timeout=0.2)
        engine.wait_for(lambda: engine.ended == ["a red house"])


def test_a_failure_is_told_as_there() -> None:
    class Broken(SyntheticEngine):
        def generate(self, *_: Any) -> Any:
            raise MemoryError

    with serving(Broken(), a1111=True) as client:
        response = client.post("/sdapi/v1/txt2img", json=WANTED)
        assert (response.status_code, response.json()) == (500, {"detail": "the engine failed (MemoryError)"})


def test_it_is_not_there_unless_asked_for() -> None:
    with serving(SyntheticEngine()) as client:
        assert client.post("/sdapi/v1/txt2img", json=WANTED).status_code == 404


@pytest.mark.parametrize(
    ("unused", "message"),
    [(b'"\\ud800"', "half a surrogate pair"), (b'{"\\udfff": 1}', "half a surrogate pair")],
)
def test_what_the_answer_could_not_repeat_is_refused(client: httpx.Client, unused: bytes, message: str) -> None:
    answer = client.post("/sdapi/v1/txt2img", content=b'{"prompt": "x", "steps": 1, "unused": ' + unused + b"}")
    assert answer.status_code == 422
    assert message in answer.json()["detail"]


@pytest.mark.parametrize(("depth", "status"), [(90, 200), (100, 422), (900, 422), (980, 422), (100_000, 422)])
def test_deep_nesting(client: httpx.Client, depth: int, status: int) -> None:
    nested = b"[" * depth + b"]" * depth
    body = b'{"prompt": "x", "steps": 1, "width": 16, "height": 8, "unused": ' + nested + b"}"
    assert client.post("/sdapi/v1/txt2img", content=body).status_code == status
