"""Checks of the preview of the last step: GEN-PIC-18 and -19."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run import suite
from tests.conformance import transcripts
from tests.conformance.in_memory_server import PLAIN
from tests.conformance.transcripts import Pixels, answer, coded, complete, picture, progress, stream, words

suite.load()
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
WRONG = (Verdict.FAIL, Verdict.WARN)


def broken(exchanges: Mapping[str, Exchange], ids: list[str]) -> dict[str, str]:
    judgements = {id: transcripts.judge(id, ALIVE, *exchanges.values()) for id in ids}
    return {id: words(found) for id, found in judgements.items() if found.verdict in WRONG}


PIXELS = picture(128, 64, 3)
BASE = [progress(4, 4), complete(PIXELS)]
GREY = np.repeat(PIXELS.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
SHOWN = {**PLAIN, "show_diffusion_process": True}


def previewed(last: Pixels, pixels: Pixels = PIXELS, after: int = 0, **beside: str) -> Exchange:
    """A generation with two previews, and progress events after the last of them."""
    events = [progress(1, 4 + after, coded(picture(128, 64, 9))), progress(4, 4 + after, coded(last))]
    rest = [progress(4 + step, 4 + after) for step in range(1, after + 1)]
    return stream("base", [*events, *rest, complete(pixels)], fields={**SHOWN, **beside})


def noise(like: Pixels) -> Pixels:
    return np.random.default_rng(5).integers(0, 256, like.shape, np.uint8)


PREVIEWS: dict[str, tuple[Pixels, set[str], str]] = {
    "the picture": (PIXELS, set(), ""),
    "pale and coarse": ((PIXELS[::8, ::8].repeat(8, 0).repeat(8, 1) // 2 + 60).astype(np.uint8), set(), ""),
    "grey": (GREY, set(), ""),
    "BGR": (PIXELS[:, :, ::-1], {"GEN-PIC-18"}, "red and blue are swapped"),
    "upside down": (PIXELS[::-1], {"GEN-PIC-18"}, "upside down"),
    "mirrored": (PIXELS[:, ::-1], {"GEN-PIC-18"}, "mirrored"),
    "transposed": (PIXELS.transpose(1, 0, 2).reshape(64, 128, 3), {"GEN-PIC-18"}, "rows and columns"),
    "black": (np.zeros_like(PIXELS), {"GEN-PIC-18"}, "flat colour"),
    "noise": (noise(PIXELS), {"GEN-PIC-19"}, "an early step?"),
    "another picture": (picture(128, 64, 9), {"GEN-PIC-19"}, "an early step?"),
}


@pytest.mark.parametrize(("last", "ids", "said"), PREVIEWS.values(), ids=PREVIEWS)
@pytest.mark.parametrize("after", [0, 2])
def test_the_preview_of_the_last_step(last: Pixels, ids: set[str], said: str, after: int) -> None:
    found = broken({"base": previewed(np.ascontiguousarray(last), after=after)}, ["GEN-PIC-18", "GEN-PIC-19"])
    assert found.keys() == ids, found
    assert said in " ".join(found.values())


def test_previews_of_earlier_steps_are_not_compared() -> None:
    for exchange in (previewed(PIXELS[::-1].copy(), after=5), stream("base", BASE, fields=SHOWN)):
        assert transcripts.judge("GEN-PIC-18", ALIVE, exchange).verdict is Verdict.NOT_APPLICABLE


def test_what_is_kept_of_an_image_may_be_missing_in_the_previews() -> None:
    image = coded(picture(128, 64, 4))
    assert not broken({"base": previewed(noise(PIXELS), image=image, mask=image)}, ["GEN-PIC-18", "GEN-PIC-19"])
