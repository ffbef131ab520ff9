"""The adapter's paths: pictures, their progress, lists, options."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_dream_mockserver.server.a1111 import listings
from local_dream_mockserver.server.a1111.extras import enlargement, png_info
from local_dream_mockserver.server.a1111.jobs import Job, Jobs
from local_dream_mockserver.server.a1111.listings import NONE, NOTHING, PREVIEW_EVERY, REFRESHED
from local_dream_mockserver.server.a1111.samplers import offered
from local_dream_mockserver.server.a1111.translation import count_of, first_image, inverts_mask, translated
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import ClientGone, read_body, while_connected
from local_dream_mockserver.server.engine import Engine, GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code, as_api_error
from local_dream_mockserver.server.events import Complete, Failed
from local_dream_mockserver.server.extensions.schedulers import Schedulers
from local_dream_mockserver.server.generation import Generation
from local_dream_mockserver.server.image_output import png_of
from local_dream_mockserver.server.request_reader import RequestReader
from local_dream_mockserver.server.spec import seeds
from local_dream_mockserver.server.strict_json import read_object
from local_dream_mockserver.server.worker import Worker

MOST_PICTURES = 16
DEEPEST = 100
"""Levels of a body: what can be read can be written again too, wherever in the answer it stands."""
Answer = Callable[[Request], Awaitable[Response]]


class Adapter:
    """Works by the same workers as /generate and /upscale, one picture after the other; errors as FastAPI writes them
    there."""

    def __init__(self, engine: Engine, settings: ServerSettings, generations: Worker, upscales: Worker) -> None:
        self.engine = engine
        self.settings = settings
        self.generations = generations
        self.upscales = upscales
        self.jobs = Jobs()
        schedulers = Schedulers(engine, settings, generations)
        self.reader = RequestReader(engine.limits(), settings.max_picture_pixels, settings.seed, [schedulers])

    def routes(self) -> Sequence[Route]:
        """Under /sdapi/v1."""
        paths: list[tuple[str, str, Answer]] = [
            ("txt2img", "POST", self.txt2img),
            ("img2img", "POST", self.img2img),
            ("progress", "GET", self.progress),
            ("interrupt", "POST", self.interrupt),
            ("extra-single-image", "POST", self.extra_single_image),
            ("png-info", "POST", self.png_info),
            ("options", "GET", self.options),
            ("options", "POST", self.set_options),
            ("samplers", "GET", listed(lambda: offered(self.engine.describe().schedulers))),
            ("schedulers", "GET", listed(lambda: listings.schedulers(self.engine.describe().schedulers))),
            ("upscalers", "GET", listed(lambda: listings.upscalers(self.engine))),
            ("sd-models", "GET", listed(lambda: listings.models(self.engine))),
            *((name, "GET", listed(partial(dict.get, {name: value}, name))) for name, value in NOTHING.items()),
            *((name, "POST", listed(lambda: None)) for name in REFRESHED),
        ]
        return [Route(f"/sdapi/v1/{path}", told(answer), methods=[method]) for path, method, answer in paths]

    async def txt2img(self, request: Request) -> Response:
        return await self._pictures(request, "txt2img", await self._body(request), None)

    async def img2img(self, request: Request) -> Response:
        sent = await self._body(request)
        return await self._pictures(request, "img2img", sent, first_image(sent))

    async def progress(self, request: Request) -> Response:
        skips = request.query_params.get("skip_current_image", "").lower() in ("true", "1", "on", "yes")
        return JSONResponse(self.jobs.told(with_image=not skips))

    async def interrupt(self, request: Request) -> Response:
        self.jobs.interrupt()
        return JSONResponse({})

    async def options(self, request: Request) -> Response:
        return JSONResponse(listings.options(self.engine))

    async def set_options(self, request: Request) -> Response:
        """Accepted without effect; the model must be the one that there is."""
        wanted = (await self._body(request)).get("sd_model_checkpoint")
        if wanted is not None and wanted != self.engine.describe().name:
            errors = f"model {str(wanted)[:200]!r} not found"
            return JSONResponse({"error": "RuntimeError", "detail": "", "body": "", "errors": errors}, 500)
        return JSONResponse(None)

    async def extra_single_image(self, request: Request) -> Response:
        sent = await self._body(request)
        wanted = await run_in_threadpool(enlargement, sent, self.engine.limits(), self.settings.max_picture_pixels)
        finished = wanted.picture
        if wanted.upscaler != NONE:
            upscaler = self._upscaler(wanted.upscaler)
            job = self.upscales.submit(
                lambda cancelled: wanted.finished(self.engine.upscale(wanted.picture, upscaler, False, cancelled))
            )
            try:
                finished = await while_connected(request.receive, job)
            except (APIError, ClientGone):
                raise
            except Exception as error:  # an engine may raise anything
                raise as_api_error(error) from error
            finally:
                job.abandon()
        image = base64.b64encode(await run_in_threadpool(png_of, finished)).decode("ascii")
        return JSONResponse({"html_info": "", "image": image})

    async def png_info(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(png_info, await self._body(request)))

    def _upscaler(self, name: str) -> str:
        """The engine's name of one that is listed. Raises APIError (422)."""
        for one in self.engine.upscalers():
            if one.name == name:
                return self.engine.resolve_upscaler(name)
        names = ", ".join([NONE, *(one.name for one in self.engine.upscalers())])
        raise APIError(422, f"upscaler_1: not one of {names}", code=Code.NO_SUCH_THING, field="upscaler_1")

    async def _body(self, request: Request) -> dict[str, Any]:
        settings = self.settings
        body = await read_body(request, settings.max_body, settings.body_idle, settings.body_whole)
        return await run_in_threadpool(read_repeatable, body)

    async def _pictures(self, request: Request, name: str, sent: dict[str, Any], image: str | None) -> Response:
        count = count_of(sent, MOST_PICTURES)
        body = json.dumps(translated(sent, image, self.engine.describe())).encode()
        asked = await run_in_threadpool(self.reader.read, body)
        asked = replace(asked, previews=True, preview_stride=PREVIEW_EVERY, preview_format="png", output_format="png")
        if asked.mask is not None and inverts_mask(sent):
            asked = replace(asked, mask=255 - asked.mask)
        job = self.jobs.begin(name, count, asked.steps)
        try:
            made = await while_connected(request.receive, self._made(asked, job))
        finally:
            self.jobs.end(job)
        all_seeds = [(asked.seed + number) % seeds() for number in range(len(made))]
        info = {
            "prompt": asked.prompt,
            "all_prompts": [asked.prompt] * len(made),
            "negative_prompt": asked.negative_prompt,
            "all_negative_prompts": [asked.negative_prompt] * len(made),
            "seed": all_seeds[0],
            "all_seeds": all_seeds,
            "width": asked.width,
            "height": asked.height,
            "steps": asked.steps,
            "cfg_scale": asked.cfg,
            "sampler_name": asked.scheduler,
            "sd_model_name": self.engine.describe().name,
        }
        parameters = {name: value for name, value in sent.items() if name not in ("init_images", "mask")}
        images = made if sent.get("send_images") is not False else []
        return JSONResponse({"images": images, "parameters": parameters, "info": json.dumps(info)})

    async def _made(self, asked: GenerationRequest, job: Job) -> list[str]:
        """The pictures, as base64 of PNG files. Where the job is interrupted the last one is as far as it came, and the
        others are not made. Raises APIError."""
        images: list[str] = []
        while len(images) < job.pictures and not job.interrupted.is_set():
            wanted = replace(asked, seed=(asked.seed + len(images)) % seeds())
            images.append(await self._one(wanted, job))
            job.picture, job.step, job.preview = len(images), 0, None
        return images

    async def _one(self, asked: GenerationRequest, job: Job) -> str:
        generation = Generation(self.engine, asked, self.generations, self.settings.lag_while_wanted)
        making = asyncio.ensure_future(self._finished(generation, job))
        stopping = asyncio.ensure_future(job.interrupted.wait())
        try:
            await asyncio.wait({making, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return making.result() if making.done() else job.preview or _blank(asked)
        finally:
            making.cancel()
            stopping.cancel()
            generation.close()

    async def _finished(self, generation: Generation, job: Job) -> str:
        async for event in generation:
            if isinstance(event, Complete):
                return event.image
            if isinstance(event, Failed):
                raise APIError(500, event.message, code=Code.FAILED)
            job.step, job.steps = event.step, event.total_steps
            job.preview = event.image or job.preview
        raise AssertionError("a generation ends with one of the two")


def _blank(asked: GenerationRequest) -> str:
    """A grey picture: what there is of one that was interrupted before its first step."""
    return base64.b64encode(png_of(np.full((asked.height, asked.width, 3), 127, np.uint8))).decode("ascii")


def listed(make: Callable[[], Any]) -> Answer:
    """An answer that does not depend on the request."""

    async def answer(request: Request) -> Response:
        return JSONResponse(make())

    return answer


def read_repeatable(body: bytes) -> dict[str, Any]:
    """The body, which the answer will repeat: it must be writable as JSON too. Raises APIError (400)."""
    sent = read_object(body, "a JSON object")
    level: list[Any] = [sent]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
    if level:
        raise APIError(
            400,
            f"the body is nested deeper than {DEEPEST} levels; send what clients of this API send",
            code=Code.JSON_TOO_DEEP,
        )
    try:
        json.dumps(sent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise APIError(
            400, "the body holds half a surrogate pair, which is no character; send whole ones", code=Code.NOT_TEXT
        ) from None
    return sent


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def told(answer: Answer) -> Answer:
    """With refusals and failures as they are told there: {"detail": ...}, and 422 for values that will not do."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except APIError as problem:
            status = 422 if problem.status == 400 else problem.status
            return JSONResponse({"detail": problem.message}, status, problem.headers)

    return answered
