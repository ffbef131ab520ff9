"""Upscaling: test cards of awkward sizes, and requests that must be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.forms import APP_HEADERS
from local_dream_conformance.scenarios.narrowing import Planned, served
from local_dream_conformance.scenarios.requests import upscale
from local_dream_conformance.scenarios.scenario import Scenario, no_upscaler_path
from local_dream_conformance.scenarios.series import one_by_one
from local_dream_conformance.scenarios.test_images import card

MADE_UP_PATH = "no-such-upscaler.bin"
SIZE = (24, 16)
TYPE = (("Content-Type", "application/octet-stream"),)
NOT_QUITE = ("-suffix", "-fraction", "-exponent", "-underscore")


def path_on_target(settings: Settings) -> str:
    """The upscaler that the settings name, or a made-up one."""
    return settings.upscaler_path or MADE_UP_PATH


@dataclass(frozen=True)
class UpscaleDraft:
    """An upscale in the making, of the test card at a size (width, height), upside down where it is `turned`."""

    size: tuple[int, int]
    path: str
    opencl: str | None = None
    turned: bool = False
    headers: tuple[tuple[str, str], ...] = TYPE
    send_options: SendOptions = field(default_factory=SendOptions)

    def request(self) -> Request:
        """POST /upscale."""
        shown = card(*self.size)[::-1] if self.turned else card(*self.size)
        made = upscale(*self.size, self.path, shown.tobytes(), self.opencl)
        others = tuple(pair for pair in made.headers if pair not in TYPE)
        return replace(made, headers=(*self.headers, *others))


UpscaleChange = Callable[[UpscaleDraft], UpscaleDraft]
PLAIN_SIZE = (32, 24)
FORMS: Mapping[str, UpscaleChange] = {
    "upscale-odd": lambda draft: replace(draft, size=(33, 19)),
    "upscale-tall": lambda draft: replace(draft, size=(min(draft.size), max(draft.size))),
    "upscale-square": lambda draft: replace(draft, size=(48, 48)),
    "upscale-wide": lambda draft: replace(draft, size=(512, 24)),
    "upscale-thin": lambda draft: replace(draft, size=(9, 1)),
    "upscale-chunked": lambda draft: replace(draft, send_options=replace(draft.send_options, chunked=True)),
    "upscale-names-lower": lambda draft: replace(draft, send_options=replace(draft.send_options, spelling="lower")),
    "upscale-names-upper": lambda draft: replace(draft, send_options=replace(draft.send_options, spelling="upper")),
    "upscale-type-absent": lambda draft: replace(draft, headers=()),
    "upscale-headers-of-an-app": lambda draft: replace(draft, headers=(*draft.headers, *APP_HEADERS)),
}
"""Valid forms of upscales; the flag is each picture's own."""


def _upscale(target: Target) -> Iterator[Exchange]:
    """Five upscales: odd and tall, square, another picture of the same size, as wide as 512 pixels, one pixel high;
    each with another flag.

    Where one fails, it is narrowed as a generation is (`forms`), down to a picture of 32x24 pixels without the flag.
    """
    plain = UpscaleDraft(PLAIN_SIZE, path_on_target(target.settings))
    yield from _enlarged(target, "odd", plain, "true", "upscale-odd", "upscale-tall", "upscale-names-lower")
    yield from _enlarged(target, "square", plain, "false", "upscale-square", "upscale-chunked")
    again = replace(plain, turned=True)
    yield from _enlarged(target, "again", again, "1", "upscale-square", "upscale-type-absent")
    yield from _enlarged(target, "wide", plain, "0", "upscale-wide", "upscale-headers-of-an-app")
    yield from _enlarged(target, "small", plain, None, "upscale-thin", "upscale-names-upper")


def _enlarged(target: Target, name: str, plain: UpscaleDraft, opencl: str | None, *names: str) -> Iterator[Exchange]:
    forms = {form: FORMS[form] for form in names}
    if opencl is not None:
        forms["opencl-flag"] = lambda draft: replace(draft, opencl=opencl)
    yield from served(target, f"upscale/{name}", Planned(plain, forms, Cost(upscales=1)))


def _refusals(settings: Settings) -> Iterator[tuple[str, Request]]:
    path = path_on_target(settings)
    width, height = SIZE
    body = card(width, height).tobytes()
    yield "upscale-refuse/width-missing", upscale(None, height, path, body)
    yield "upscale-refuse/height-missing", upscale(width, None, path, body)
    yield "upscale-refuse/path-missing", upscale(width, height, None, body)
    yield "upscale-refuse/width-not-a-number", upscale("abc", height, path, body)
    yield "upscale-refuse/height-not-a-number", upscale(width, "abc", path, body)
    yield "upscale-refuse/body-short", upscale(width, height, path, body[:-1])
    yield "upscale-refuse/body-long", upscale(width, height, path, body + b"\0")
    yield "upscale-refuse/body-empty", upscale(width, height, path, b"")
    unknown = f"{settings.upscaler_path}-missing" if settings.upscaler_path else MADE_UP_PATH
    yield "upscale-refuse/path-unknown", upscale(width, height, unknown, body)


def _out_of_range(settings: Settings) -> Iterator[tuple[str, Request]]:
    path = path_on_target(settings)
    width, height = SIZE
    body = card(width, height).tobytes()
    yield "upscale-range/width-zero", upscale(0, height, path, b"")
    yield "upscale-range/height-zero", upscale(width, 0, path, b"")
    yield "upscale-range/width-suffix", upscale(f"{width}abc", height, path, body)
    yield "upscale-range/height-suffix", upscale(width, f"{height}abc", path, body)
    yield "upscale-range/width-fraction", upscale(f"{width}.5", height, path, body)
    yield "upscale-range/width-exponent", upscale("1e1", height, path, card(10, height).tobytes())
    yield "upscale-range/width-underscore", upscale(f"{width // 10}_{width % 10}", height, path, body)
    yield "upscale-range/width-overflow", upscale(2**32 + width, height, path, body)
    yield "upscale-range/height-overflow", upscale(width, 2**64 + height, path, body)
    yield "upscale-range/opencl-other-body-short", upscale(width, height, path, body[:-1], "maybe")
    yield "upscale-range/path-empty", upscale(width, height, "", body)
    yield "upscale-range/path-traversal", upscale(width, height, "../" * 12 + "etc/passwd", body)
    yield "upscale-range/path-absolute", upscale(width, height, "/etc/hosts", body)


def _kind(label: str) -> str:
    """Of which kind a refusal is: sizes that are wrong in the same way are alike, whichever side it is."""
    name = label.rpartition("/")[2]
    if name.endswith(NOT_QUITE):
        return "not quite an integer"
    return name.partition("-")[2] if name.startswith(("width-", "height-")) and not name.endswith("missing") else label


def _upscale_refuse(target: Target) -> Iterator[Exchange]:
    """Costs nothing; sent with a made-up path where the settings name none."""
    yield from one_by_one(target, _refusals(target.settings), _kind)
    yield target.send("upscale-refuse/health", requests.HEALTH)


def _upscale_range(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all."""
    yield from one_by_one(target, _out_of_range(target.settings), _kind)
    yield target.send("upscale-range/health", requests.HEALTH)


UPSCALE = Scenario("upscale", Cost(upscales=5), _upscale, available=no_upscaler_path)
REFUSED = (Scenario("upscale-refuse", Cost(), _upscale_refuse), Scenario("upscale-range", Cost(), _upscale_range))
