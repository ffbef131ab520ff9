"""Requests of the recorded kinds that are not recorded: what the personalities answer follows from the source of the
releases and of their libraries."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.faults.selection import Selection
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.config import ServerSettings
from tests.mockserver.live_server import PATIENCE, events_of, running
from tests.releases.alike import exchanged
from tests.releases.answer import Answer, answer_of

NAMES = ("2.4", "2.7", "2.8")
BASE = {"prompt": "a", "seed": 5, "steps": 2, "width": 16, "height": 16}


def generated(url: str, **fields: Any) -> httpx.Response:
    return httpx.post(f"{url}/generate", json=BASE | fields, timeout=PATIENCE)


def told(response: httpx.Response) -> tuple[int, str]:
    """Status and message of an error answer."""
    return response.status_code, response.json()["error"]["message"]


def counted(response: httpx.Response) -> list[tuple[int, int]]:
    """The progress events."""
    events = events_of(response.text)
    return [(event["step"], event["total_steps"]) for event in events if event["type"] == "progress"]


def bare(url: str, method: str, path: str, *headers: str, body: bytes = b"", length: bool = True) -> Answer:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    lines += [f"Content-Length: {len(body)}"] if length else []
    return answer_of(exchanged(url, "\r\n".join([*lines, "", ""]).encode("latin-1") + body))


def picture(size: tuple[int, int] = (16, 16), kind: str = "PNG", mode: str = "RGB") -> str:
    data = io.BytesIO()
    Image.new(mode, size, 0 if mode == "L" else None).save(data, kind)
    return base64.b64encode(data.getvalue()).decode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("steps", [], "number, but is array"),
        ("width", {}, "number, but is object"),
        ("denoise_strength", "1", "number, but is string"),
        ("show_diffusion_stride", None, "number, but is null"),
        ("show_diffusion_process", 1, "boolean, but is number"),
        ("use_opencl", "true", "boolean, but is string"),
        ("negative_prompt", True, "string, but is boolean"),
        ("image", ["x"], "string, but is array"),
    ],
)
def test_a_wrong_type_of_any_field_is_told_by_the_json_library(
    urls: dict[str, str], name: str, field: str, value: Any, wanted: str
) -> None:
    expected = 500, f"Server Err: [json.exception.type_error.302] type must be {wanted}"
    assert told(generated(urls[name], **{field: value})) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "seed"), [(-2, 2**32 - 2), (2**32 + 7, 7), (-1.5, 2**32 - 1), (True, 1), (2**64, 0), (1e300, 0)]
)
def test_a_seed_is_what_is_left_of_it_in_32_bits(urls: dict[str, str], name: str, value: Any, seed: int) -> None:
    assert events_of(generated(urls[name], seed=value).text)[-1]["seed"] == seed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "height"), [(1, 16), (17, 9), (0, 0), (16, 2050)])
def test_any_size_that_is_not_negative_is_painted(urls: dict[str, str], name: str, width: int, height: int) -> None:
    complete = events_of(generated(urls[name], width=width, height=height).text)[-1]
    assert (complete["width"], complete["height"]) == (width, height)
    assert len(base64.b64decode(complete["image"])) == width * height * 3


@pytest.mark.parametrize(
    ("name", "strength", "expected"),
    [
        ("2.4", 1.0, [(1, 13), (2, 13), *((2 + step, 13) for step in range(10)), (13, 13)]),
        ("2.4", 0.0, [(1, 13), (2, 3), (3, 3)]),
        ("2.4", 3.0, [(1, 13), (2, 33), (3, 33)]),
        ("2.7", 0.0, [(1, 13), (2, 4), (2, 4), (4, 4)]),
        ("2.7", 3.0, [(1, 13), (2, 13), *((2 + step, 13) for step in range(10)), (13, 13)]),
        ("2.8", 0.55, [(1, 13), (2, 9), *((2 + step, 9) for step in range(6)), (9, 9)]),
    ],
)
def test_steps_are_counted_as_the_strength_leaves_them(
    urls: dict[str, str], name: str, strength: float, expected: list[tuple[int, int]]
) -> None:
    assert counted(generated(urls[name], steps=10, image=picture(), denoise_strength=strength)) == expected


def test_totals_have_32_bits(urls: dict[str, str]) -> None:
    strong = counted(generated(urls["2.4"], image=picture(), denoise_strength=1e39, steps=3))
    assert strong[0] == (1, 6)
    assert {total for _, total in strong[1:]} == {6 - 2**31}
    assert counted(generated(urls["2.7"], image=picture(), denoise_strength=1e39, steps=3))[-1] == (6, 6)


def test_negative_steps(urls: dict[str, str]) -> None:
    assert counted(generated(urls["2.4"], steps=-3)) == [(1, -1), (2, -1)]
    for name in ("2.7", "2.8"):
        events = events_of(generated(urls[name], steps=-3).text)
        assert events[1] == {"message": "cannot create std::vector larger than max_size()", "type": "error"}


@pytest.mark.parametrize("name", NAMES)
def test_junk_in_base64_is_skipped_and_formats_are_those_of_the_decoder(urls: dict[str, str], name: str) -> None:
    text = picture()
    assert generated(urls[name], image=f"!@#$ \n\r-{text}").status_code == 200
    assert "Invalid base64 length" in told(generated(urls[name], image=f"!{text}"))[1]
    assert generated(urls[name], image=picture(kind="GIF"), mask=picture(kind="JPEG", mode="L")).status_code == 200
    assert told(generated(urls[name], image=picture(kind="WEBP")))[1].endswith("Img size mismatch")


def test_ultrafix(urls: dict[str, str]) -> None:
    image = picture((512, 512))
    for name in ("2.7", "2.8"):
        refusals: dict[str, dict[str, Any]] = {
            "ultrafix requires 'image'": {},
            "ultrafix does not support 'mask'": {"image": image, "mask": picture()},
            "Invalid ultrafix tile_size": {"image": image, "tile_size": 12},
            "ultrafix size must be a multiple of 8": {"image": image, "width": 516, "height": 516},
            "ultrafix image shorter edge must be >= 640": {
                "image": image,
                "tile_size": 640,
                "width": 600,
                "height": 800,
            },
            "ultrafix image too large (max 8192)": {"image": image, "width": 8200, "height": 512},
        }
        for message, fields in refusals.items():
            assert told(generated(urls[name], ultrafix=True, **fields)) == (400, f"Invalid Arg: {message}")
        assert told(generated(urls[f"{name}-mnn"], ultrafix=True))[1].endswith("ultrafix not supported by this backend")
        assert generated(urls[name], ultrafix="yes").status_code == 500
        assert generated(urls[name], ultrafix=False).status_code == 200
    assert generated(urls["2.4"], ultrafix="yes").status_code == 200


def test_refining_goes_back_to_the_noise_first(urls: dict[str, str]) -> None:
    fields = {"ultrafix": True, "width": 768, "height": 512, "steps": 4, "denoise_strength": 0.5}
    events = events_of(generated(urls["2.7"], image=picture(), show_diffusion_process=True, **fields).text)
    numbers = [(event["step"], event["total_steps"]) for event in events[:-1]]
    assert numbers == [(1, 7), (2, 7), (3, 7), (4, 7), (4, 7), (5, 7), (7, 7)]
    assert not any("image" in event for event in events[:-1])
    assert (events[-1]["width"], events[-1]["height"]) == (768, 512)


def test_sdxl_paints_1024_whatever_is_asked_and_other_shapes_since_2_7(urls: dict[str, str]) -> None:
    one = events_of(generated(urls["2.4-sdxl"], size=64, aspect_ratio="16:9").text)[-1]
    assert (one["width"], one["height"]) == (1024, 1024)
    shaped = generated(urls["2.8-sdxl"], aspect_ratio="2:3")
    assert counted(shaped) == [(1, 5), (2, 5), (2, 5), (3, 5), (5, 5)]
    assert (events_of(shaped.text)[-1]["width"], events_of(shaped.text)[-1]["height"]) == (680, 1024)
    assert generated(urls["2.8-sdxl"], aspect_ratio=5).status_code == 500
    for no_ratio in ("x", "9999999999:1", f"1:{10**30}", "-2147483649:1"):
        assert events_of(generated(urls["2.8-sdxl"], aspect_ratio=no_ratio).text)[-1]["width"] == 1024, no_ratio


def test_the_schedulers_of_each_release(urls: dict[str, str]) -> None:
    def image(name: str, scheduler: str) -> str:
        return str(events_of(generated(urls[name], scheduler=scheduler).text)[-1]["image"])

    assert image("2.4", "euler_karras") == image("2.4", "no-such") == image("2.4", "dpm")
    for name in NAMES:
        assert image(name, "eulera") == image(name, "euler_a") != image(name, "dpm")
    assert len({image("2.7", one) for one in ("dpm", "dpm_karras", "euler", "lcm", "dpm_sde_karras", "no-such")}) == 5


def test_upscaler_mode(urls: dict[str, str]) -> None:
    events = events_of(generated(urls["2.4-upscaler"]).text)
    assert events == [{"message": "QNN CLIP missing", "type": "error"}]
    assert (
        httpx.post(f"{urls['2.4-upscaler']}/tokenize", json={"prompt": "a b c"}).text == '{"count":2,"max_length":77}'
    )
    for path in ("/generate", "/tokenize"):
        assert httpx.post(urls["2.7-upscaler"] + path, json=BASE).status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_json_as_the_library_reads_it(urls: dict[str, str], name: str) -> None:
    url = f"{urls[name]}/generate"
    assert httpx.post(url, content=b"\xef\xbb\xbf" + json.dumps(BASE).encode()).status_code == 200
    assert httpx.post(url, content=json.dumps(BASE)[:-1] + ', "x": ' + "[" * 9999 + "]" * 9999 + "}").status_code == 200
    overflow = httpx.post(url, content=json.dumps(BASE)[:-1] + ', "cfg": 1e400}')
    assert told(overflow) == (
        500,
        "Server Err: [json.exception.out_of_range.406] number overflow parsing '1e400'",
    )
    not_utf8 = httpx.post(url, content=b'{"prompt": "\xff"}')
    what = "[json.exception.type_error.316] invalid UTF-8 byte at index 168: 0xFF"
    assert (not_utf8.status_code, not_utf8.content, not_utf8.headers["EXCEPTION_WHAT"]) == (500, b"", what)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_http_library_refuses_has_no_body(urls: dict[str, str], name: str) -> None:
    url, body = urls[name], json.dumps(BASE).encode()
    form = "Content-Type: application/x-www-form-urlencoded"
    padded = body[:-1] + b" " * 8192 + b"}"
    refused = {
        413: bare(url, "POST", "/generate", form, body=padded),
        414: bare(url, "GET", "/health?" + "x" * 8200),
        415: bare(url, "POST", "/no-such", "Content-Encoding: br", body=body),
        404: bare(url, "PATCH", "/generate", body=b"{}"),
    }
    for status, answer in refused.items():
        assert (answer["status"], answer["body"]) == (status, "")
    for answer in (
        bare(url, "POST", "/generate", length=False),
        bare(url, "TRACE", "/health"),
        bare(url, "SPAM", "/health"),
        bare(url, "GET", "/health", f"X: {'y' * 8200}"),
        bare(url, "POST", "/generate", "Content-Type: multipart/form-data", body=body),
    ):
        assert (answer["status"], answer["body"]) == (400, "")
    assert bare(url, "POST", "/generate", form, body=body)["status"] == 200
    assert bare(url, "POST", "/generate", "Content-Encoding: x", body=body)["status"] == 200
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + body + b"\r\n--b--\r\n"
    whole = bare(url, "POST", "/generate", "Content-Type: multipart/form-data; boundary=b", body=part)
    assert "attempting to parse an empty input" in whole["body"]
    assert ["accept-ranges", "bytes"] in bare(url, "HEAD", "/no-such")["headers"]
    assert answer_of(exchanged(url, b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"))["status"] == 200


@pytest.mark.parametrize("name", NAMES)
def test_upscales(urls: dict[str, str], name: str) -> None:
    def asked(width: str, height: str = "2", path: str = "up.mnn", body: bytes = b"x" * 24) -> Answer:
        headers = (f"X-Image-Width: {width}", f"X-Image-Height: {height}", f"X-Upscaler-Path: {path}")
        return bare(urls[name], "POST", "/upscale", *headers, body=body)

    assert asked(" +4 ")["status"] == asked("4e9")["status"] == asked("%34")["status"] == 200
    assert asked(str(2**32 + 4))["body"] == '{"error":{"message":"Server Err: stoi","type":"server_error"}}'
    assert asked("--4")["body"] == '{"error":{"message":"Invalid Arg: stoi","type":"request_error"}}'
    unknown = asked("4", path="/data/модель.MNN".encode().decode("latin-1"))
    assert json.loads(unknown["body"].encode("latin-1"))["error"]["message"].endswith("from: /data/модель.MNN")
    assert asked("4", path="/data/\xff.mnn")["status"] == 500
    assert "exception_what" in dict(asked("4", path="/data/\xff.mnn")["headers"])
    huge = asked("65536", "65536", body=b"")
    assert (huge["status"], "Expected 12884901888 bytes" in huge["body"]) == (
        (500, False) if name == "2.4" else (400, True)
    )
    assert "std::bad_alloc" in asked("-4", "-2")["body"]
    assert "Failed to initialize upscaler model" in asked("0", path="/no/such", body=b"")["body"]
    assert "std::bad_alloc" in asked("0", body=b"")["body"]


@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_counted_without_weights(urls: dict[str, str], name: str) -> None:
    def count(prompt: Any) -> Any:
        return httpx.post(f"{urls[name]}/tokenize", json={"prompt": prompt}).json().get("count")

    assert count("a (red:1.3) [house], ((big))") == count("a red house, big")
    assert count(r"a \(red\)") == count("a red") + 2
    array = httpx.post(f"{urls[name]}/tokenize", content=b"[]")
    assert (array.status_code, array.json()["error"]) == (
        400,
        {"message": "[json.exception.type_error.306] cannot use value() with array", "type": "tokenize_error"},
    )


def test_what_overlaps_in_2_4_shares_its_state() -> None:
    personality = personalities()["2.4"]
    alteration = personality.make()
    settings = ServerSettings(without=frozenset(personality.without))
    app = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0.05)), settings, Selection([alteration]))
    with running(app, http=alteration.http) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        with client.stream("POST", "/generate", json=BASE | {"steps": 10}) as first:
            pieces = first.iter_text()
            text = next(pieces)
            second = generated(url, seed=77, width=24)
            text += "".join(pieces)
        complete, other = events_of(text)[-1], events_of(second.text)[-1]
        assert (complete["seed"], complete["width"]) == (other["seed"], other["width"]) == (77, 24)
