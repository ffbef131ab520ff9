"""The quick look at a request, against jsonschema, which has the last word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.quick_schema import Beyond, holds
from local_dream_mockserver.server.spec import generate_request

SCHEMA = generate_request(NAMES)
FIELDS = list(SCHEMA["properties"])
HOLDS = holds(SCHEMA)
JUDGE = Draft202012Validator(SCHEMA)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([8, 12, 512, 2**32 - 1, 2**32, 10**400, 0.5, 1.0, 8.0, 8.5, -0.0, 1e308])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "dpm", "euler", "DPM", "raw", "jpeg", "16:9", "16:9\n", "0:1", "iVBO"])
)
VALUE = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.sampled_from(["prompt", "a"]), PLAIN, max_size=2)
VALID: dict[str, Any] = {
    "prompt": "a cat",
    "negative_prompt": "",
    "steps": 20,
    "cfg": 7.5,
    "seed": 0,
    "width": 512,
    "height": 8.0,
    "scheduler": "dpm",
    "denoise_strength": 1,
    "image": "iVBO",
    "mask": "iVBO",
    "show_diffusion_process": True,
    "show_diffusion_stride": 1,
    "use_opencl": False,
    "output_format": "png",
    "size": 64,
    "aspect_ratio": "16:9",
    "ultrafix": False,
    "tile_size": 512,
    "reference_images": ["iVBO"],
}


def test_a_request_with_every_field_holds() -> None:
    assert set(VALID) <= set(FIELDS)
    assert HOLDS(VALID)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUE))
@example({"prompt": "a", "mask": "iVBO"})
@example({"prompt": "a", "show_diffusion_process": True, "show_diffusion_stride": 0})
def test_it_says_what_jsonschema_says(request: dict[str, Any]) -> None:
    assert HOLDS(request) == JUDGE.is_valid(request)


@given(st.sampled_from(FIELDS), VALUE)
def test_and_where_one_field_alone_is_odd(name: str, value: Any) -> None:
    request = json.loads(json.dumps(VALID | {name: value}))
    assert HOLDS(request) == JUDGE.is_valid(request)


@pytest.mark.parametrize("body", [None, [], "prompt", 1, True])
def test_what_is_no_object_does_not_hold(body: Any) -> None:
    assert not HOLDS(body)


@pytest.mark.parametrize(
    "schema",
    [{"not": {}}, {"enum": [1]}, {"const": []}, {"minimum": 0.5}, {"properties": {"a": {"maxLength": 3}}}],
)
def test_what_is_not_known_is_not_passed_over(schema: dict[str, Any]) -> None:
    with pytest.raises(Beyond):
        holds(schema)
