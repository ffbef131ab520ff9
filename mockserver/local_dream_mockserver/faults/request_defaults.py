"""Faults of POST /generate: fields that were left out mean something else than the contract says."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from local_dream_mockserver.faults.bodies import Body, Changed, sent
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import Reader
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

DEFAULTS = {
    "negative_prompt": "GEN-DEF-01",
    "steps": "GEN-DEF-02",
    "cfg": "GEN-DEF-03",
    "width": "GEN-DEF-04",
    "height": "GEN-DEF-05",
    "scheduler": "GEN-DEF-06",
    "denoise_strength": "GEN-DEF-07",
    "show_diffusion_process": "GEN-DEF-08",
    "show_diffusion_stride": "GEN-DEF-09",
}


class OtherDefault(Changed):
    """Other values for fields that were left out."""

    def __init__(self, place: Trigger | None, values: Body) -> None:
        super().__init__(place)
        self.values = values

    def changed(self, body: Body) -> Body:
        return {**self.values, **{name: value for name, value in body.items() if value is not None}}


def other(name: str, sentence: str, **values: Any) -> None:
    """Registers a fault with other defaults."""
    breaks = tuple(DEFAULTS[field] for field in values)
    fault(name, sentence, layer=Layer.REQUEST, breaks=breaks)(partial(OtherDefault, values=values))


other("negative-by-default", 'Without negative_prompt it is "blurry, green".', negative_prompt="blurry, green")
other("negative-x-by-default", 'Without negative_prompt it is "x".', negative_prompt="x")
other("thirty-steps-by-default", "Without steps 30 are taken.", steps=30)
other("four-steps-by-default", "Without steps 4 are taken.", steps=4)
other("cfg-1-by-default", "Without cfg it is 1.0.", cfg=1.0)
other("cfg-12-by-default", "Without cfg it is 12.", cfg=12)
other("wide-by-default", "Without width it is 768.", width=768)
other("tall-by-default", "Without height it is 768.", height=768)
other("square-768-by-default", "Without width and height the picture is 768x768.", width=768, height=768)
other("euler-a-by-default", "Without scheduler it is euler_a.", scheduler="euler_a")


class OtherWithImage(OtherDefault):
    """Other values for fields that were left out of a request with an image."""

    def changed(self, body: Body) -> Body:
        return super().changed(body) if body.get("image") else body


fault(
    "euler-a-by-default-with-image",
    "Without scheduler it is euler_a where the request has an image.",
    layer=Layer.REQUEST,
    breaks=("GEN-DEF-06",),
)(partial(OtherWithImage, values={"scheduler": "euler_a"}))
other("strength-80-by-default", "Without denoise_strength it is 0.8.", denoise_strength=0.8)
other("strength-40-by-default", "Without denoise_strength it is 0.4.", denoise_strength=0.4)
other("previews-by-default", "Without show_diffusion_process previews are sent.", show_diffusion_process=True)
other("stride-2-by-default", "Without show_diffusion_stride it is 2.", show_diffusion_stride=2)


@fault(
    "previews-of-the-last-request",
    "Without show_diffusion_process it is as in the request before.",
    layer=Layer.REQUEST,
    breaks=("GEN-DEF-08",),
)
class LastRequest(Changed):
    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.last: Body = {}

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = super().read(body, honest)
        self.last = {name: value for name, value in sent(body).items() if name == "show_diffusion_process"} or self.last
        return request

    def changed(self, body: Body) -> Body:
        return {**self.last, **body}


class OpenclShows(OtherDefault):
    """OpenCL, which computes something else than the CPU here, is used without being asked for."""

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        return replace(request, cfg=request.cfg + 10) if request.use_opencl else request


class OpenclShowsWithImage(OpenclShows, OtherWithImage):
    """The same for requests with an image alone."""


for _made, _name, _sentence in (
    (OpenclShows, "opencl-by-default", "Without use_opencl it is true, which shows in the picture."),
    (
        OpenclShowsWithImage,
        "opencl-by-default-with-image",
        "Without use_opencl it is true where the request has an image, which shows in the picture.",
    ),
):
    fault(_name, _sentence, layer=Layer.REQUEST, breaks=("GEN-DEF-10",))(partial(_made, values={"use_opencl": True}))


class SeedPicked(Changed):
    """Picks a certain seed where none was sent."""

    def __init__(self, place: Trigger | None, seed: int) -> None:
        super().__init__(place)
        self.seed = seed

    def changed(self, body: Body) -> Body:
        return {"seed": self.seed, **body} if body.get("seed") is None else body


fault(
    "seed-42-by-default",
    "Without seed it is always 42.",
    layer=Layer.REQUEST,
    breaks=("GEN-DEF-12",),
)(partial(SeedPicked, seed=42))
