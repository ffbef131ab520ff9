"""Requests: defaults and ranges as the contract's schema says, refusals that name the field and the fix."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from local_dream_mockserver.mock.synthetic import SyntheticLimits
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.request_reader import ENGINES_NAMES, RequestReader
from local_dream_mockserver.server.spec import component
from tests.field_values import another, type_of

FIELDS = component("GenerateRequest")["properties"]
PYTHON: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}
READER = RequestReader(SyntheticLimits(), 1_000_000)


def picture(width: int = 8, height: int = 8) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def refusal(**fields: Any) -> str:
    with pytest.raises(APIError) as caught:
        READER.read(json.dumps({"prompt": "x"} | fields).encode())
    assert caught.value.status == 400
    assert caught.value.kind == "request_error"
    return caught.value.message


def test_defaults_are_those_of_the_seed_document() -> None:
    asked = READER.read(b'{"prompt": "x"}')
    assert (asked.prompt, asked.negative_prompt, asked.steps, asked.cfg) == ("x", "", 20, 7.5)
    assert (asked.width, asked.height, asked.scheduler, asked.denoise_strength) == (512, 512, "dpm", 0.6)
    assert asked.image is None
    assert asked.mask is None
    assert (asked.previews, asked.preview_stride, asked.use_opencl) == (False, 1, False)


def test_seed_left_out_is_drawn_from_the_whole_range() -> None:
    seeds = {READER.read(b'{"prompt": "x"}').seed for _ in range(64)}
    assert len(seeds) > 60
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert max(seeds) > 2**31


def test_every_field_is_read() -> None:
    given = {"cfg": 2, "seed": 4294967295, "width": 16, "height": 24, "image": picture(), "mask": picture()}
    sent = {name: given.get(name) or another(schema) for name, schema in FIELDS.items()}
    asked = READER.read(json.dumps(sent).encode())
    for name in FIELDS.keys() - {"image", "mask"}:
        read = getattr(asked, ENGINES_NAMES.get(name, name))
        assert read == sent[name]
        assert isinstance(read, PYTHON[type_of(FIELDS[name])])
    assert asked.image is not None
    assert asked.mask is not None
    assert asked.image.shape == (24, 16, 3)
    assert asked.mask.shape == (24, 16)


def test_an_engine_may_be_called_with_the_contracts_defaults() -> None:
    """Code that makes a request itself gets what a client gets that leaves a field out."""
    bare = GenerationRequest(prompt="x", seed=1)
    for name, schema in FIELDS.items():
        if "default" in schema:
            assert getattr(bare, ENGINES_NAMES.get(name, name)) == schema["default"]


@pytest.mark.parametrize("field", [name for name in FIELDS if name != "prompt"])
def test_null_means_left_out(field: str) -> None:
    given = READER.read(json.dumps({"prompt": "x", "seed": 1, field: None}).encode())
    absent = READER.read(b'{"prompt": "x", "seed": 1}')
    for name in FIELDS.keys() - {"seed"}:
        attribute = ENGINES_NAMES.get(name, name)
        assert getattr(given, attribute) == getattr(absent, attribute)
    assert 0 <= given.seed < 2**32


def test_mask_null_with_an_image_is_img2img() -> None:
    asked = READER.read(json.dumps({"prompt": "x", "image": picture(), "mask": None}).encode())
    assert asked.image is not None
    assert asked.mask is None


def test_unknown_fields_are_ignored() -> None:
    READER.read(b'{"prompt": "x", "use_cfg": "what", "init_image": 5, "nested": {"steps": "20"}}')


def test_whole_floats_are_integers() -> None:
    asked = READER.read(b'{"prompt": "x", "steps": 4.0, "seed": 7e0}')
    assert (asked.steps, asked.seed) == (4, 7)
    assert type(asked.seed) is int


@pytest.mark.parametrize("stride", [0, -3])
def test_stride_has_no_meaning_without_previews(stride: int) -> None:
    asked = READER.read(json.dumps({"prompt": "x", "show_diffusion_stride": stride}).encode())
    assert asked.preview_stride == 1


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ["20", 20.5, True, [], {}, ["x"]], ids=repr)
def test_wrong_type_names_the_field(field: str, value: Any) -> None:
    kinds = FIELDS[field]["type"]
    fits = (
        (isinstance(value, str) and "string" in kinds)
        or (isinstance(value, float) and "number" in kinds)
        or (isinstance(value, bool) and "boolean" in kinds)
    )
    if fits and field in {"prompt", "negative_prompt", "cfg", "show_diffusion_process", "use_opencl"}:
        READER.read(json.dumps({"prompt": "x", field: value}).encode())
    else:
        assert refusal(**{field: value}).startswith(f"{'image' if fits and field == 'mask' else field}: ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": None}, "prompt: null is of the wrong type; send a string"),
        ({"prompt": ""}, "prompt: empty; send a string that is not empty"),
        ({"steps": 0}, "steps: 0 is out of range; send an integer from 1 up, or leave it out"),
        ({"steps": 1001}, "steps: 1001 is more than this server's 1000; send fewer"),
        ({"steps": 10**300}, "steps: 10000000000000000000... is more than this server's 1000; send fewer"),
        ({"width": 0}, "width: 0 is out of range; send a multiple of 8 from 8 up, or leave it out"),
        ({"height": 65}, "height: 65 is out of range; send a multiple of 8 from 8 up, or leave it out"),
        ({"height": 8000}, "height: 8000 is not within this server's 8 to 4096; send one that is"),
        (
            {"width": 4096, "height": 4096},
            "width, height: 4096x4096 is more than this server's 4194304 pixels; send a smaller size",
        ),
        (
            {"denoise_strength": 1.1},
            "denoise_strength: 1.1 is out of range; send a number from 0 to 1, or leave it out",
        ),
        (
            {"seed": -1},
            "seed: -1 is out of range; send an integer from 0 to 4294967295, or leave it out and the server picks one",
        ),
        (
            {"seed": 2**32},
            "seed: 4294967296 is out of range; send an integer from 0 to 4294967295, or leave it out and the server"
            " picks one",
        ),
        ({"cfg": 10**350}, "cfg: 10000000000000000000... is too large; send a number, or leave it out"),
        ({"scheduler": "zap"}, 'scheduler: "zap" is out of range; send one of dpm, euler_a, or leave it out'),
        (
            {"show_diffusion_process": True, "show_diffusion_stride": 0},
            "show_diffusion_stride: 0 will not do; previews need a stride of at least 1",
        ),
        ({"mask": picture()}, "image: missing; a mask needs a picture to apply it to"),
        ({"mask": picture(), "image": None}, "image: missing; a mask needs a picture to apply it to"),
        ({"negative_prompt": "\ud800"}, "negative_prompt: holds half a surrogate pair"),
    ],
    ids=str,
)
def test_refusal_says_what_and_how_to_mend_it(fields: dict[str, Any], message: str) -> None:
    assert refusal(**fields).startswith(message)


def test_a_secret_prompt_is_not_repeated() -> None:
    assert "hunter2" not in refusal(steps="hunter2" * 4, prompt="hunter2")


def test_a_missing_prompt_comes_first() -> None:
    with pytest.raises(APIError, match="prompt: missing; send a string"):
        READER.read(b'{"steps": "20"}')
