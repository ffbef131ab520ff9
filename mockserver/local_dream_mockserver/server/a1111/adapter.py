"""The adapter's paths: txt2img, img2img, samplers, sd-models, options."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_dream_mockserver.server.a1111.samplers import offered
from local_dream_mockserver.server.a1111.translation import count_of, first_image, inverts_mask, translated
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import read_body, while_connected
from local_dream_mockserver.server.engine import Engine, GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.events import Complete, Failed
from local_dream_mockserver.server.extensions.schedulers import Schedulers
from local_dream_mockserver.server.generation import Generation
from local_dream_mockserver.server.request_reader import RequestReader
from local_dream_mockserver.server.spec import seeds
from local_dream_mockserver.server.strict_json import read_object
from local_dream_mockserver.server.worker import Worker

MOST_PICTURES = 16
DEEPEST = 100
"""Levels of a body: what can be read can be written again too, wherever in the answer it stands."""
Answer = Callable[[Request], Awaitable[Response]]


class Adapter:
    """Generates by the same worker as /generate, one picture after the other; errors as FastAPI writes them there."""

    def __init__(self, engine: Engine, settings: ServerSettings, generations: Worker) -> None:
        self.engine = engine
        self.settings = settings
        self.generations = generations
        schedulers = Schedulers(engine, settings, generations)
        self.reader = RequestReader(engine.limits(), settings.max_picture_pixels, settings.seed, [schedulers])

    def routes(self) -> Sequence[Route]:
        """Under /sdapi/v1."""
        paths: list[tuple[str, str, Answer]] = [
            ("txt2img", "POST", self.txt2img),
            ("img2img", "POST", self.img2img),
            ("samplers", "GET", self.samplers),
            ("sd-models", "GET", self.models),
            ("options", "GET", self.options),
            ("options", "POST", self.set_options),
        ]
        return [Route(f"/sdapi/v1/{path}", told(answer), methods=[method]) for path, method, answer in paths]

    async def txt2img(self, request: Request) -> Response:
        return await self._pictures(request, await self._body(request), None)

    async def img2img(self, request: Request) -> Response:
        sent = await self._body(request)
        return await self._pictures(request, sent, first_image(sent))

    async def samplers(self, request: Request) -> Response:
        return JSONResponse(offered(self.engine.describe().schedulers))

    async def models(self, request: Request) -> Response:
        name = self.engine.describe().name
        model = {"title": name, "model_name": name, "hash": None, "sha256": None, "filename": name, "config": None}
        return JSONResponse([model])

    async def options(self, request: Request) -> Response:
        return JSONResponse({"sd_model_checkpoint": self.engine.describe().name, "samples_format": "png"})

    async def set_options(self, request: Request) -> Response:
        """Accepted, as clients set the model before each picture, but there is only one."""
        await self._body(request)
        return JSONResponse(None)

    async def _body(self, request: Request) -> dict[str, Any]:
        settings = self.settings
        body = await read_body(request, settings.max_body, settings.body_idle, settings.body_whole)
        return await run_in_threadpool(read_repeatable, body)

    async def _pictures(self, request: Request, sent: dict[str, Any], image: str | None) -> Response:
        count = count_of(sent, MOST_PICTURES)
        body = json.dumps(translated(sent, image, self.engine.describe())).encode()
        asked = replace(await run_in_threadpool(self.reader.read, body), output_format="png")
        if asked.mask is not None and inverts_mask(sent):
            asked = replace(asked, mask=255 - asked.mask)
        made = [
            await while_connected(request.receive, self._made(replace(asked, seed=(asked.seed + number) % seeds())))
            for number in range(count)
        ]
        info = {
            "prompt": asked.prompt,
            "negative_prompt": asked.negative_prompt,
            "seed": made[0].seed,
            "all_seeds": [one.seed for one in made],
            "width": asked.width,
            "height": asked.height,
            "steps": asked.steps,
            "cfg_scale": asked.cfg,
            "sampler_name": asked.scheduler,
            "sd_model_name": self.engine.describe().name,
        }
        parameters = {name: value for name, value in sent.items() if name not in ("init_images", "mask")}
        answer = {"images": [one.image for one in made], "parameters": parameters, "info": json.dumps(info)}
        return JSONResponse(answer)

    async def _made(self, asked: GenerationRequest) -> Complete:
        generation = Generation(self.engine, asked, self.generations, self.settings.lag_while_wanted)
        try:
            async for event in generation:
                if isinstance(event, Complete):
                    return event
                if isinstance(event, Failed):
                    raise APIError(500, event.message, code=Code.FAILED)
        finally:
            generation.close()
        raise AssertionError("a generation ends with one of the two")


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
