"""What each target understands, to make what is nearly that: whole requests, and bodies whose values are anything."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from PIL import Image

Asked = tuple[str, str, bytes]
"""Method, path and body of a request."""


@dataclass(frozen=True)
class Surface:
    """Requests that are right, to be spoilt; and requests whose values are anything."""

    seeds: tuple[bytes, ...]
    asked: SearchStrategy[Asked]


def picture(kind: str) -> str:
    """A small picture as base64."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 8), "red").save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole request."""
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _post(path: str, body: bytes, *headers: str) -> bytes:
    return request("POST", path, body, *headers)


SMALL = {"prompt": "a red house", "steps": 1, "width": 16, "height": 8}
SEEDS = (
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    _post("/generate", json.dumps(SMALL).encode(), "Content-Type: application/json"),
    _post("/generate", json.dumps(SMALL | {"image": picture("PNG")}).encode()),
    _post("/generate", json.dumps(SMALL | {"image": picture("JPEG"), "mask": picture("PNG")}).encode()),
    _post("/tokenize", b'{"prompt": "a house"}'),
    _post("/upscale", bytes(12), "X-Image-Width: 2", "X-Image-Height: 2", "X-Upscaler-Path: default"),
    _post("/sdapi/v1/txt2img", json.dumps(SMALL).encode()),
    b'POST /generate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"pro\r\n0\r\n\r\n',
    b"OPTIONS /generate HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\n\r\n",
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((10**400, -(10**30), "\ud800"))
    | st.floats()
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = (
    *("prompt", "negative_prompt", "steps", "cfg", "seed", "width", "height", "size", "aspect_ratio", "scheduler"),
    *("denoise_strength", "image", "mask", "show_diffusion_process", "show_diffusion_stride", "output_format"),
    *("use_opencl", "batch_size", "sampler_name", "init_images", "cfg_scale", "unknown"),
)
PATHS = ("/generate", "/generate", "/tokenize", "/sdapi/v1/txt2img", "/sdapi/v1/img2img")


def _body(values: Any) -> bytes:
    """JSON as a careless client writes it: NaN, infinities and half surrogates included."""
    return json.dumps(values).encode()


def _generation(sent: dict[str, Any]) -> bytes:
    body = SMALL | sent
    return _body(body | {"steps": 1} if isinstance(body["steps"], int) else body)


SERVER = Surface(
    SEEDS,
    st.tuples(
        st.just("POST"),
        st.sampled_from(PATHS),
        st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6).map(_generation),
    ),
)

NAMES = ("ok", "busy", "refusal", "server_error", "error_event", "paced", "faulty")
OPTIONS = ("retry_after", "message", "status", "after", "first", "step", "upscale", "hold")
FAULTS = ("reset@bytes:2000", "terminal-missing", "seed-is-text", "values-clamped", "dribble", "reset@bytes:-1", "@")
ORDERS = st.sampled_from(NAMES) | st.dictionaries(
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(OPTIONS), JSON, max_size=3) | st.lists(st.sampled_from(FAULTS)) | JSON,
    max_size=2,
)
WAITS = st.sampled_from(("", "0", "0.1", "-1", "nan", "1e999", "%ff", "\u0661")) | st.text(max_size=4).map(ascii)
MOCK_CONTROL = Surface(
    (
        *(request("PUT", f"/__mock__/{path}", b'["reset@bytes:2000"]') for path in ("fault", "script")),
        request(
            "POST", "/__mock__/script", b'["ok", {"refusal": {"message": "no", "status": 422}}, {"faulty": ["cr"]}]'
        ),
        request("PUT", "/__mock__/quirk", b"dribble, early-hints"),
        request("PUT", "/__mock__/pace", b'{"step": 0.001, "first": 0}'),
        request("POST", "/__mock__/release"),
        request("DELETE", "/__mock__/script"),
        *(request("GET", f"/__mock__/{path}") for path in ("", "requests", "requests?wait=0.1", "breaches")),
        request("GET", "/__mock__/wait?events=1&seconds=0.1&request=1"),
        request("GET", "/__mock__/requests/1/body"),
        request("PUT", "/__mock__/reset"),
        _post("/generate", json.dumps(SMALL).encode(), "X-Mock-Fault: terminal-missing"),
    ),
    st.one_of(
        st.tuples(
            st.sampled_from(("PUT", "POST", "DELETE")),
            st.sampled_from(("/__mock__/script", "/__mock__/fault", "/__mock__/quirk")),
            (st.lists(ORDERS | st.sampled_from(FAULTS), max_size=4) | JSON).map(_body),
        ),
        st.tuples(
            st.sampled_from(("PUT", "POST", "DELETE")),
            st.just("/__mock__/pace"),
            (st.dictionaries(st.sampled_from(OPTIONS[4:7]), JSON, max_size=3) | JSON).map(_body),
        ),
        st.tuples(st.just("GET"), WAITS.map(lambda text: f"/__mock__/requests?wait={text}"), st.just(b"")),
        st.tuples(st.just("GET"), WAITS.map(lambda text: f"/__mock__/wait?seconds={text}&events={text}"), st.just(b"")),
        st.tuples(st.just("GET"), st.sampled_from(("/__mock__/", "/__mock__/breaches")), st.just(b"")),
        st.tuples(
            st.just("POST"),
            st.sampled_from(("/generate", "/upscale")),
            st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON, max_size=6).map(_generation),
        ).map(lambda asked: (asked[0], f"{asked[1]}-unscripted", asked[2])),
    ),
)

SELECTION = {"model_id": "synthetic", "width": 512, "height": 512}
CONTROL_PORT = Surface(
    (
        *(request("GET", path) for path in ("/info", "/models", "/status")),
        _post("/select", json.dumps(SELECTION).encode(), "Content-Type: application/json"),
        _post("/select", b'{"model_id": "__upscaler__"}'),
        _post("/stop", b'{"model_id": "synthetic"}', "Authorization: Bearer x"),
        _post("/stop", b'{"model_id": "synthetic"}', "Origin: http://a"),
    ),
    st.tuples(
        st.sampled_from(("POST", "POST", "GET", "PUT", "DELETE", "OPTIONS")),
        st.sampled_from(("/select", "/select", "/stop", "/info", "/models", "/status", "/generate")),
        (st.dictionaries(st.sampled_from((*SELECTION, "unknown")), JSON, max_size=4) | JSON).map(
            lambda sent: _body(SELECTION | sent if isinstance(sent, dict) and len(sent) % 2 else sent)
        ),
    ),
)

SURFACES = {
    "mock": SERVER,
    "reference": SERVER,
    "proxy": SERVER,
    "mock-control": MOCK_CONTROL,
    "control-port": CONTROL_PORT,
}
