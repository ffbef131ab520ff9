"""A small server of the Local Dream API on FastAPI, as a model for servers of your own.

What paints is in engine.py; put your engine in its place.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, NoReturn

import uvicorn
from engine import Pixels, encoded, enlarged, paint, picture
from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

LARGEST_BODY, LARGEST_SIDE = 32 << 20, 2048  # bytes, pixels
STEP_TIME = 0.05  # seconds; --step-ms
ALLOWED = {"/health": "GET, HEAD", "/generate": "POST", "/upscale": "POST"}

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
free = asyncio.Lock()  # one generation at a time; the others wait in a queue


class GenerateRequest(BaseModel):
    """The fields of POST /generate. Strict: "20" and 20.5 are no integers; unknown fields are ignored."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    prompt: str = Field(min_length=1)
    negative_prompt: str = ""
    steps: int = Field(default=20, ge=1, le=1000)
    cfg: float = 7.5
    seed: int = Field(default_factory=lambda: random.randrange(2**32), ge=0, le=2**32 - 1)
    width: int = Field(default=512, ge=8, le=LARGEST_SIDE, multiple_of=8)
    height: int = Field(default=512, ge=8, le=LARGEST_SIDE, multiple_of=8)
    scheduler: Literal["dpm", "euler_a"] = "dpm"
    denoise_strength: float = Field(default=0.6, ge=0, le=1)
    image: str | None = None
    mask: str | None = None
    show_diffusion_process: bool = False
    show_diffusion_stride: int = 1
    use_opencl: bool = False

    @model_validator(mode="before")
    @classmethod
    def null_means_left_out(cls, fields: Any) -> Any:
        kept = fields.items() if isinstance(fields, dict) else ()
        return {name: value for name, value in kept if value is not None or name == "prompt"}

    @model_validator(mode="after")
    def fields_fit_together(self) -> "GenerateRequest":
        if self.mask is not None and self.image is None:
            raise ValueError("mask: needs an image")
        if self.show_diffusion_process and self.show_diffusion_stride < 1:
            raise ValueError("show_diffusion_stride: must be at least 1")
        return self


def refuse(message: str, status: int = 400) -> NoReturn:
    raise HTTPException(status, message)


def event(name: str, **data: object) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"


async def events(asked: GenerateRequest, image: Pixels | None, mask: Pixels | None) -> AsyncIterator[str]:
    """The stream. Where the client hangs up, the framework cancels it at the next await: the engine is free again."""
    async with free:
        started = time.monotonic()
        begin, end = await asyncio.to_thread(paint, asked, image, mask)
        first = 0
        for step in range(1, asked.steps + 1):
            await asyncio.sleep(STEP_TIME)
            first = first or int((time.monotonic() - started) * 1000)
            data: dict[str, object] = {"step": step, "total_steps": asked.steps}
            if asked.show_diffusion_process and (step - 1) % asked.show_diffusion_stride == 0:
                data["image"] = await asyncio.to_thread(encoded, begin + (end - begin) * (step / asked.steps))
            yield event("progress", **data)
        result = await asyncio.to_thread(encoded, end)
        size = {"width": asked.width, "height": asked.height, "channels": 3}
        spent = {"generation_time_ms": int((time.monotonic() - started) * 1000), "first_step_time_ms": first}
        yield event("complete", image=result, seed=asked.seed, **size, **spent)


async def body_of(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            refuse("the body is too long", 413)
    return body


@app.api_route("/health", methods=["GET", "HEAD"])
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/generate")
async def generate(request: Request) -> Response:
    # Read by hand: clients send JSON as text/plain too, and FastAPI's own parameters would answer 422.
    try:
        asked = GenerateRequest.model_validate_json(await body_of(request))
    except ValidationError as error:
        wrong = error.errors()[0]
        refuse(": ".join([*map(str, wrong["loc"]), wrong["msg"]]))
    size = asked.width, asked.height
    try:
        image = await asyncio.to_thread(picture, asked.image, "RGB", size)
        mask = await asyncio.to_thread(picture, asked.mask, "L", size)
    except ValueError as error:
        refuse(f"image, mask: {error}")
    answer = events(asked, image, mask)
    return StreamingResponse(answer, headers={"Cache-Control": "no-cache"}, media_type="text/event-stream")


@app.post("/upscale")
async def upscale(
    request: Request,
    x_image_width: Annotated[str, Header(pattern="^[1-9][0-9]{0,4}$")],
    x_image_height: Annotated[str, Header(pattern="^[1-9][0-9]{0,4}$")],
    x_upscaler_path: Annotated[str, Header()],
    x_use_opencl: Annotated[str, Header(pattern="^(true|false|1|0)$")] = "false",
) -> Response:
    started = time.monotonic()
    body = await body_of(request)
    width, height = int(x_image_width), int(x_image_height)
    if x_upscaler_path != "default":  # a name among those there are, never a path to open
        refuse("X-Upscaler-Path: there is only the upscaler called default", 404)
    if len(body) != width * height * 3:
        refuse(f"the body has {len(body)} bytes, and {width} * {height} * 3 are {width * height * 3}")
    jpeg = await asyncio.to_thread(enlarged, body, width, height)
    headers = {"X-Output-Width": str(width * 4), "X-Output-Height": str(height * 4)}
    headers["X-Duration-Ms"] = str(int((time.monotonic() - started) * 1000))
    return Response(jpeg, media_type="image/jpeg", headers=headers)


@app.exception_handler(Exception)
@app.exception_handler(ClientDisconnect)
@app.exception_handler(HTTPException)
@app.exception_handler(RequestValidationError)
async def failure(request: Request, error: Exception) -> Response:
    status, message = getattr(error, "status_code", 500), str(getattr(error, "detail", error))
    if isinstance(error, RequestValidationError):
        status, message = 400, f"{error.errors()[0]['loc'][-1]}: {error.errors()[0]['msg']}"
    kind = "request_error" if status < 500 else "server_error"
    headers = {"Allow": ALLOWED[request.url.path]} if status == 405 else None
    return JSONResponse({"error": {"message": message or "failed", "type": kind}}, status, headers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--step-ms", type=float, default=STEP_TIME * 1000)
    options = parser.parse_args()
    STEP_TIME = options.step_ms / 1000
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False)
