"""Upscaling: test cards of awkward sizes, and requests that must be refused."""

from __future__ import annotations

from collections.abc import Iterator

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import upscale, upscale_card
from local_dream_conformance.scenarios.scenario import Scenario, no_upscaler_path
from local_dream_conformance.scenarios.series import Attempt, first_accepted, one_by_one
from local_dream_conformance.scenarios.test_images import card

MADE_UP_PATH = "no-such-upscaler.bin"
SIZE = (12, 8)
NOT_QUITE = ("-suffix", "-fraction", "-exponent")


def path_on_target(settings: Settings) -> str:
    """The upscaler that the settings name, or a made-up one."""
    return settings.upscaler_path or MADE_UP_PATH


def _upscale(target: Target) -> Iterator[Exchange]:
    """Five upscales: odd, tall, square, wider than the tiles that servers cut (192), small; each with another flag.

    Labels of refusals of the flag: upscale/odd-flagged, tall-flagged, square-flagged, wide-flagged.
    """
    yield from _flagged(target, "odd", 17, 13, "true")
    yield from _flagged(target, "tall", 13, 40, "1")
    yield from _flagged(target, "square", 48, 48, "false")
    yield from _flagged(target, "wide", 208, 24, "0")
    yield target.send("upscale/small", upscale_card(8, 8, path_on_target(target.settings)))


def _flagged(target: Target, name: str, width: int, height: int, opencl: str) -> Iterator[Exchange]:
    """An upscale with X-Use-OpenCL; where that is refused, without it, which tells whether the flag was to blame."""
    path = path_on_target(target.settings)
    attempts = [
        Attempt(f"upscale/{name}-flagged", upscale_card(width, height, path, opencl)),
        Attempt("", upscale_card(width, height, path)),
    ]
    yield from first_accepted(target, f"upscale/{name}", attempts)


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
    yield "upscale-range/width-overflow", upscale(2**32 + width, height, path, body)
    yield "upscale-range/height-overflow", upscale(width, 2**64 + height, path, body)
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
