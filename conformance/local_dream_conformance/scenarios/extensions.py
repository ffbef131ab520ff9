"""What newer servers have beyond the core: asked for last, and as cheaply as it can be seen.

A server without an extension ignores its fields, so a scenario makes one plain generation there. The requests that a
server with the extension ought to refuse are sent only where its answer showed that it has it.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterator

from local_dream_conformance.core import fields
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import ABSENT, Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.extensions import makes_formats, makes_ratio, makes_size, token_count
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import Body, generate
from local_dream_conformance.scenarios.scenario import Scenario, no_img2img, no_upscaler_path
from local_dream_conformance.scenarios.series import one_by_one
from local_dream_conformance.scenarios.upscales import path_on_target

ORIGIN = "https://page.example"
UPSCALE_HEADERS = "content-type,x-image-height,x-image-width,x-upscaler-path,x-use-opencl"
EDGE = 192
"""Neither side of the plain run, and a multiple of 64, as older servers want."""
RATIO = "2:3"
"""Portrait where the plain size is landscape, and a ratio whose shorter side must be rounded at most sizes."""
WIDE = "3:2"
"""The same the other way round."""
TILE = 512
"""What `tile_size` means left out."""
LIGHTLY = 0.3
"""A strength that keeps the picture's composition."""
REFERENCE = (96, 160)
"""Of another shape than the picture that is asked for."""
PAINTS = "a server without it ignores the field, and paints"
EMOJI = "\N{HOUSE BUILDING} "
BEYOND_ANY_MODEL = 400
"""So many repetitions of three words go beyond what any text encoder reads (77 to 512 tokens)."""
LONGER_WORD = 5
"""UTF-16 code units that hold at least one word more, of three letters and a space."""


def _with_origin(request: Request) -> Request:
    return Request(request.method, request.target, (*request.headers, ("Origin", ORIGIN)), request.body)


def _preflight(path: str, headers: str) -> Request:
    asked = (("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", headers))
    return Request("OPTIONS", path, (("Origin", ORIGIN), *asked))


def _cors(target: Target) -> Iterator[Exchange]:
    """Costs nothing: what a browser asks on behalf of a page, and refusals. Browsers send no credentials beforehand."""
    anonymous = SendOptions(anonymous=True)
    yield target.send("cors/preflight-generate", _preflight("/generate", "content-type"), anonymous)
    yield target.send("cors/preflight-upscale", _preflight("/upscale", UPSCALE_HEADERS), anonymous)
    yield target.send("cors/health", _with_origin(requests.HEALTH))
    yield target.send("cors/not-found", _with_origin(requests.absent(target.settings)))
    refusal = SendOptions(refusal=True)
    yield target.send("cors/refused-generate", _with_origin(requests.refused(target.settings)), refusal)
    path = path_on_target(target.settings)
    yield target.send("cors/refused-upscale", _with_origin(requests.upscale(None, 8, path, b"")), refusal)


def _cors_upscale(target: Target) -> Iterator[Exchange]:
    """One upscale, asked for by a page of another origin."""
    request = requests.upscale_card(8, 8, path_on_target(target.settings))
    yield target.send("cors-upscale/page", _with_origin(request))


def _tokenize(target: Target) -> Iterator[Exchange]:
    """Costs nothing. Where the count says from where on a prompt is too long, the cut prompts are counted too."""
    prompt = requests.prompts(target.settings)[0]
    short = target.send("tokenize/short", _count(prompt))
    yield short
    if short.status in ABSENT or short.status is None:
        return
    yield target.send("tokenize/empty", _count(""))
    yield target.send("tokenize/unweighted", _count("a red house by the sea"))
    yield target.send("tokenize/weighted", _count("a ( red :1.3 ) [ house ] (( by )) the ( sea : 0.7 )"))
    yield target.send("tokenize/longer", _count(" ".join([prompt] * 3)))
    text = EMOJI * 12 + "red cat sea " * BEYOND_ANY_MODEL
    beyond = target.send("tokenize/beyond", _count(text))
    yield beyond
    offset = token_count(beyond).overflow_offset
    if offset is not None and 0 < offset <= len(text):
        yield target.send("tokenize/cut", _count(_first_units(text, offset)))
        yield target.send("tokenize/cut-later", _count(_first_units(text, offset + LONGER_WORD)))
    yield target.send("tokenize/prompt-number", _to_tokenize(b'{"prompt": 5}'))
    yield target.send("tokenize/json-malformed", _to_tokenize(b'{"prompt": "a re'))
    yield target.send("tokenize/prompt-missing", _to_tokenize(b"{}"))


def _count(prompt: str) -> Request:
    return _to_tokenize(json.dumps({"prompt": prompt}).encode())


def _to_tokenize(body: bytes) -> Request:
    return Request("POST", "/tokenize", requests.JSON, body)


def _first_units(text: str, count: int) -> str:
    """The first UTF-16 code units of a text, without half a character at their end."""
    return text.encode("utf-16-le")[: 2 * count].decode("utf-16-le", "ignore")


def _formats(target: Target) -> Iterator[Exchange]:
    """One generation: base as a PNG with JPEG previews, asked for by a page of another origin."""
    plain = requests.plain(target.settings)
    asked: Body = {"show_diffusion_process": True, "output_format": "png", "preview_format": "jpeg"}
    shown = target.send("formats/png", _with_origin(generate({**plain, **asked})))
    yield shown
    if makes_formats(shown):
        quick = {**plain, "steps": 1}
        preview = {**quick, "show_diffusion_process": True, "preview_format": "bmp"}
        cases = {"output-unknown": {**quick, "output_format": "bmp"}, "preview-unknown": preview}
        yield from one_by_one(target, ((f"formats/{name}", generate(body)) for name, body in cases.items()))


def _size(target: Target) -> Iterator[Exchange]:
    """One generation: a square whose side the plain run does not have, as a JPEG with previews of no said format."""
    plain = requests.plain(target.settings)
    asked: Body = {"size": EDGE, "output_format": "jpeg", "show_diffusion_process": True}
    shown = target.send("size/square", generate({**plain, **asked}))
    yield shown
    if makes_size(shown):
        cases = {"string": str(EDGE), "odd": EDGE + 1}
        bodies = ((f"size/{name}", generate({**plain, "steps": 1, "size": v})) for name, v in cases.items())
        yield from one_by_one(target, bodies)


def _aspect_ratio(target: Target) -> Iterator[Exchange]:
    """One generation: a portrait of the plain size, raw with PNG previews.

    Where that shows the extension, another one: a landscape, with raw asked for by its name. The plan counts both.
    """
    plain = requests.plain(target.settings)
    asked: Body = {"aspect_ratio": RATIO, "preview_format": "png", "show_diffusion_process": True}
    shown = target.send("aspect-ratio/portrait", generate({**plain, **asked}))
    yield shown
    base = target.transcript("base")
    if makes_ratio(shown, base.exchanges[0] if base and base.exchanges else None):
        named: Body = {"output_format": "raw", "preview_format": "raw", "show_diffusion_process": True}
        yield target.send("aspect-ratio/landscape", generate({**plain, "aspect_ratio": WIDE, **named}))
        cases = {"no-ratio": "wide"}
        quick = {**plain, "steps": 1}
        bodies = ((f"aspect-ratio/{name}", generate({**quick, "aspect_ratio": v})) for name, v in cases.items())
        yield from one_by_one(target, bodies)


def _schedulers(target: Target) -> Iterator[Exchange]:
    """One generation for each declared scheduler, and for what a declared synonym means: base without previews."""
    plain = requests.plain(target.settings)
    for name in _asked_schedulers(target.settings):
        yield target.send(f"schedulers/{name}", generate({**plain, "scheduler": name}))


def _asked_schedulers(settings: Settings) -> tuple[str, ...]:
    meant = [fields.synonyms()[name] for name in settings.schedulers if name in fields.synonyms()]
    return tuple(dict.fromkeys([*settings.schedulers, *meant]))


def _prompt_weights(target: Target) -> Iterator[Exchange]:
    """Where it is declared, two generations: base without previews, its prompt weighted 1.5 times, then 1 time."""
    plain = requests.plain(target.settings)
    weights = (("prompt-weights/more", "1.5"), ("prompt-weights/one", "1.0"))
    for label, weight in weights if target.settings.declares("prompt_weights") else ():
        yield target.send(label, generate({**plain, "prompt": f"({plain['prompt']}:{weight})"}))


def _ultrafix(target: Target) -> Iterator[Exchange]:
    """Where it is declared, one generation: the test card at strength 0.3, larger than a tile. Then what is refused."""
    width, height = _refined_size(target.settings)
    card = requests.card64(width, height)
    asked: Body = {"ultrafix": True, "width": width, "height": height, "denoise_strength": LIGHTLY}
    whole = {**requests.plain(target.settings), **asked, "image": card}
    yield target.send("ultrafix/refined", generate(whole))
    mask = requests.mask64(width, height)
    cases: dict[str, Body] = {
        "no-image": requests.without(whole, "image"),
        "mask": {**whole, "mask": mask},
        "tile-odd": {**whole, "tile_size": 100},
        "tile-zero": {**whole, "tile_size": 0},
        "tile-text": {**whole, "tile_size": "512"},
        "tile-too-large": {**whole, "tile_size": 2 * max(width, height)},
        "not-boolean": {**whole, "ultrafix": "true"},
    }
    bodies = ((f"ultrafix/{name}", generate({**body, "steps": 1})) for name, body in cases.items())
    yield from one_by_one(target, bodies)


def _refined_size(settings: Settings) -> tuple[int, int]:
    """Half as wide again as a tile: the size that is given, where tiles of 512 pixels are smaller."""
    edge = max(TILE, min(requests.size(settings)))
    return edge * 3 // 2 // 8 * 8, edge


def _reference_images(target: Target) -> Iterator[Exchange]:
    """Where it is declared, one generation: base without previews, after two pictures. Then what is refused."""
    plain = requests.plain(target.settings)
    pictures = [requests.card64(*REFERENCE), requests.card64_jpeg(*reversed(REFERENCE))]
    yield target.send("reference-images/two", generate({**plain, "reference_images": pictures}))
    cases: dict[str, object] = {
        "text": pictures[0],
        "none": [],
        "number": [5],
        "not-base64": [pictures[0], "@@@@"],
        "not-picture": [b64encode(b"no picture").decode()],
    }
    bodies = (
        (f"reference-images/{name}", generate({**plain, "steps": 1, "reference_images": value}))
        for name, value in cases.items()
    )
    yield from one_by_one(target, bodies)


def _undeclared(extension: str, why: str) -> Callable[[Settings], str | None]:
    def reason(settings: Settings) -> str | None:
        return None if settings.declares(extension) else f"not declared with --extension {extension}: {why}"

    return reason


def _no_ultrafix(settings: Settings) -> str | None:
    return _undeclared("ultrafix", PAINTS)(settings) or no_img2img(settings)


def _one_size(settings: Settings) -> str | None:
    return "--size: the target makes pictures of one size" if settings.size else None


def _none_declared(settings: Settings) -> str | None:
    return None if settings.schedulers else "not declared with --extension schedulers=NAME,...: cannot be seen"


SCENARIOS = (
    Scenario("cors", Cost(), _cors),
    Scenario("cors-upscale", Cost(upscales=1), _cors_upscale, available=no_upscaler_path),
    Scenario("tokenize", Cost(), _tokenize),
    Scenario("formats", Cost(generations=1), _formats, after=("base",)),
    Scenario("size", Cost(generations=1), _size, available=_one_size),
    Scenario("aspect-ratio", Cost(generations=2), _aspect_ratio, after=("base",)),
    Scenario(
        "prompt-weights",
        Cost(),
        _prompt_weights,
        after=("base",),
        available=_undeclared("prompt_weights", "costs two generations"),
        price=lambda settings: Cost(generations=2),
    ),
    Scenario(
        "ultrafix",
        Cost(),
        _ultrafix,
        available=_no_ultrafix,
        price=lambda settings: Cost(generations=1),
        work=lambda settings: requests.steps(settings) * math.prod(_refined_size(settings)),
    ),
    Scenario(
        "reference-images",
        Cost(),
        _reference_images,
        after=("base",),
        available=_undeclared("reference_images", PAINTS),
        price=lambda settings: Cost(generations=1),
    ),
    Scenario(
        "schedulers",
        Cost(),
        _schedulers,
        after=("base",),
        available=_none_declared,
        price=lambda settings: Cost(generations=len(_asked_schedulers(settings))),
    ),
)
