"""What the journal says of requests: each breach by its field and its requirement, and nothing of sound requests."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.datastructures import Headers

from local_dream_mockserver.mock.request_side import breaches_of
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.request_reader import RequestReader
from local_dream_mockserver.server.spec import generate_request, ids_of, load_spec
from tests.field_values import of_wrong_type, out_of_range
from tests.spec_ids import requirement_ids

JSON = {"content-type": "application/json"}
RAW = {
    "content-type": "application/octet-stream",
    "x-image-width": "2",
    "x-image-height": "1",
    "x-upscaler-path": "/data/upscaler.bin",
}


def picture(kind: str = "PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def found(path: str, headers: dict[str, str], body: bytes, method: str = "POST") -> list[tuple[str | None, str]]:
    breaches = breaches_of(method, path, Headers(headers), body)
    assert all(breach.message for breach in breaches)
    assert {breach.requirement for breach in breaches} - {None} <= requirement_ids(load_spec()).keys()
    return [(breach.requirement, breach.field) for breach in breaches]


def generate(**fields: Any) -> list[tuple[str | None, str]]:
    return found("/generate", JSON, json.dumps({"prompt": "x"} | fields).encode())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"steps": 20.0, "cfg": 7, "seed": 0, "width": 8, "height": 1024, "scheduler": "euler_a"},
        {"image": picture("JPEG"), "mask": picture(), "denoise_strength": 1},
        {"show_diffusion_stride": 0},
        {"size": 64, "aspect_ratio": "16:9", "output_format": "png", "scheduler": "lcm"},
        {"scheduler": "eulera", "aspect_ratio": None},
    ],
)
def test_sound_requests_break_nothing(fields: dict[str, Any]) -> None:
    assert generate(**fields) == []


@pytest.mark.parametrize(
    ("fields", "requirement", "field"),
    [
        ({"steps": "20"}, "GEN-TYP-03", "steps"),
        ({"cfg": "7.5"}, "GEN-TYP-04", "cfg"),
        ({"use_opencl": 1}, "GEN-TYP-14", "use_opencl"),
        ({"prompt": None}, "GEN-TYP-01", "prompt"),
        ({"image": 5}, "GEN-TYP-10", "image"),
        ({"num_steps": 20}, "GEN-REQ-08", "num_steps"),
        ({"prompt": ""}, "GEN-REQ-06", "prompt"),
        ({"steps": 0}, "GEN-RNG-02", "steps"),
        ({"width": -8}, "GEN-RNG-03", "width"),
        ({"height": 100}, "GEN-RNG-04", "height"),
        ({"denoise_strength": 1.5}, "GEN-RNG-05", "denoise_strength"),
        ({"seed": 2**32}, "GEN-RNG-06", "seed"),
        ({"seed": -1}, "GEN-RNG-07", "seed"),
        ({"show_diffusion_process": True, "show_diffusion_stride": 0}, "GEN-RNG-08", "show_diffusion_stride"),
        ({"scheduler": "plms"}, "GEN-RNG-09", "scheduler"),
        ({"mask": picture()}, "GEN-REQ-16", "mask"),
        ({"mask": picture(), "image": None}, "GEN-REQ-16", "mask"),
        ({"image": "data:image/png;base64," + picture()}, "GEN-REQ-19", "image"),
        ({"image": picture()[:20] + "\n" + picture()[20:]}, "GEN-REQ-17", "image"),
        ({"image": picture().rstrip("=") + "-_"}, "GEN-REQ-12", "image"),
        ({"image": picture(), "mask": "%%%"}, "GEN-REQ-14", "mask"),
        ({"image": base64.b64encode(b"no picture").decode()}, "GEN-REQ-13", "image"),
        ({"image": picture(), "mask": "AAAA"}, "GEN-REQ-15", "mask"),
        ({"image": picture("WEBP")}, "GEN-REQ-17", "image"),
        ({"size": 100}, "EXT-SIZ-03", "size"),
        ({"aspect_ratio": "wide"}, "EXT-ASP-04", "aspect_ratio"),
        ({"output_format": "gif"}, "EXT-FMT-06", "output_format"),
    ],
)
def test_each_breach_names_its_field_and_its_requirement(fields: dict[str, Any], requirement: str, field: str) -> None:
    assert generate(**fields) == [(requirement, field)]


@pytest.mark.parametrize(
    ("body", "requirement"),
    [
        (b"", "GEN-REQ-03"),
        (b"{", "GEN-REQ-02"),
        (b"[]", "GEN-REQ-04"),
        (b'{"prompt": "\xff"}', "ERR-07"),
        (b'{"prompt": "x", "prompt": "y"}', None),
    ],
)
def test_bodies_that_are_no_request(body: bytes, requirement: str | None) -> None:
    assert found("/generate", JSON, body) == [(requirement, "body")]


FIELDS = generate_request(NAMES)["properties"]


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_is_judged_by_its_requirements(name: str) -> None:
    """A wrong type by that of the type, a value out of range by that of the keyword that it breaks."""
    ids = ids_of(name)
    assert (ids["type"], name) in generate(**{name: of_wrong_type(FIELDS[name])})
    for keyword, value in out_of_range(FIELDS[name]).items():
        wanted = ids.get("minus-one", ids[keyword]) if value == -1 else ids[keyword]
        # A field of an extension may also be said to mean nothing in this request.
        assert generate(**{name: value})[0] == (wanted, name), keyword


def test_several_breaches_are_all_told() -> None:
    assert generate(steps="4", cfg="1", extra=1) == [
        ("GEN-REQ-08", "extra"),
        ("GEN-TYP-04", "cfg"),
        ("GEN-TYP-03", "steps"),
    ]
    assert found("/generate", JSON, b"{}") == [("GEN-REQ-01", "prompt")]


def test_no_message_quotes_a_prompt() -> None:
    body = json.dumps({"prompt": ["a secret house"], "negative_prompt": 5, "scheduler": "a secret house"})
    told = " ".join(map(str, breaches_of("POST", "/generate", Headers(JSON), body.encode())))
    assert "secret" not in told
    assert "GEN-TYP-01" in told


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 2**33),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([8, 16, 1, 0.5, "dpm", "1:1", "png", picture(), picture("JPEG"), "data:image/png;base64,AAAA"]),
    st.lists(st.integers(), max_size=1),
)
READER = RequestReader(SyntheticEngine().limits(), 10_000, 0)


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(sorted(generate_request(())["properties"])), VALUES))
def test_the_server_takes_what_breaks_nothing(fields: dict[str, Any]) -> None:
    body = json.dumps({"prompt": "x", "width": 8, "height": 8, "steps": 1} | fields).encode()
    broken = found("/generate", JSON, body)
    limits = any(
        isinstance(fields.get(name), int | float) and fields[name] > 64 for name in ("steps", "width", "height")
    )
    if not broken and not limits:
        READER.read(body)
    if any(requirement and requirement.startswith("GEN-TYP") for requirement, _ in broken):
        with pytest.raises(APIError):
            READER.read(body)


def test_heads_paths_and_methods() -> None:
    body = b'{"prompt": "x"}'
    assert found("/generate", {}, body) == [(None, "Content-Type")]
    assert found("/generate", {"content-type": "application/json; charset=utf-8"}, body) == []
    assert found("/generate", {**JSON, "content-encoding": "gzip"}, b"\x1f\x8b") == [(None, "Content-Encoding")]
    assert found("/generate/", JSON, body) == [("SRV-01", "path")]
    assert found("/generate", {}, b"", "GET") == [("SRV-02", "method")]
    assert found("/health", {}, b"", "GET") == found("/health", {}, b"", "HEAD") == []
    assert found("/generate", {"access-control-request-method": "POST"}, b"", "OPTIONS") == []
    assert found("/tokenize", JSON, body) == []
    assert found("/tokenize", JSON, b'{"prompt": 5}') == [("EXT-TOK-05", "prompt")]
    assert found("/tokenize", JSON, b"{}") == [("EXT-TOK-06", "prompt")]


@pytest.mark.parametrize(
    ("headers", "body", "requirement", "field"),
    [
        ({"x-image-width": ""}, b"123456", "UPS-REQ-01", "X-Image-Width"),
        ({"x-image-height": ""}, b"123456", "UPS-REQ-02", "X-Image-Height"),
        ({"x-upscaler-path": ""}, b"123456", "UPS-REQ-03", "X-Upscaler-Path"),
        ({"x-image-width": "two"}, b"123456", "UPS-REQ-04", "X-Image-Width"),
        ({"x-image-width": "0"}, b"123456", "UPS-REQ-12", "X-Image-Width"),
        ({"x-image-width": "-2"}, b"123456", "UPS-REQ-13", "X-Image-Width"),
        ({"x-image-width": "2px"}, b"123456", "UPS-REQ-14", "X-Image-Width"),
        ({"x-image-width": "2.0"}, b"123456", "UPS-REQ-14", "X-Image-Width"),
        ({"x-image-width": "4294967296"}, b"123456", "UPS-REQ-15", "X-Image-Width"),
        ({"x-use-opencl": "yes"}, b"123456", "UPS-REQ-08", "X-Use-OpenCL"),
        ({"content-type": "image/png"}, b"123456", None, "Content-Type"),
        ({}, b"12345", "UPS-REQ-05", "body"),
        ({}, b"\x89PNG567", "UPS-REQ-06", "body"),
        ({}, b"", "UPS-REQ-07", "body"),
    ],
)
def test_breaches_of_upscale(headers: dict[str, str], body: bytes, requirement: str | None, field: str) -> None:
    sent = {name: value for name, value in (RAW | headers).items() if value}
    assert found("/upscale", sent, body) == [(requirement, field)]
    assert found("/upscale", RAW, b"123456") == []
