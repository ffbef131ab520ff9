"""An engine whose work is done by replicas: what the HTTP front sees of a Ray Serve deployment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException, RequestCancelledError
from ray.serve.handle import DeploymentHandle

from local_dream_mockserver.cluster.messages import (
    Busy,
    Description,
    Failure,
    Limits,
    Nature,
    Picture,
    Step,
    TokenCount,
    Upscaler,
)
from local_dream_mockserver.server.engine import (
    Cancelled,
    EngineError,
    GenerationRequest,
    RequestRefused,
    Rgb,
)

T = TypeVar("T")

TICK: Final = 0.05
"""Seconds between two looks whether the client has gone, and before a busy replica is asked again."""
PATIENCE: Final = 30.0
"""Seconds that a question may take (tokens, names of upscalers); replicas may be starting."""
GONE: Final = "the replica that worked on this has ended; send the request again"


class RayEngine:
    """As many generations and upscales at a time as there are replicas; Ray Serve chooses among them.

    A request that no replica has begun is given to another one when its replica ends. One that was begun fails then:
    its client may have seen steps of it.
    """

    def __init__(self, handle: DeploymentHandle, replicas: int, close: Callable[[], None]) -> None:
        self._handle = handle
        self._close = close
        self.at_once = replicas
        self._nature: Nature = ask(handle.nature.remote())
        self.weighs_prompts = self._nature.weighs_prompts
        self.refines = self._nature.refines
        self.follows_pictures = self._nature.follows_pictures

    def describe(self) -> Description:
        """The replicas', and how many there are."""
        one = self._nature.description
        return Description(one.name, f"{self.at_once} x {one.device}", one.schedulers, one.native_size)

    def limits(self) -> Limits:
        return self._nature.limits

    def upscalers(self) -> Sequence[Upscaler]:
        return self._nature.upscalers

    def resolve_upscaler(self, path: str) -> str:
        """Raises RequestRefused or EngineError."""
        answer: str | Failure = ask(self._handle.resolve_upscaler.remote(path))
        return unless_failure(answer)

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        """See `engine.Engine`. Raises RequestRefused or EngineError."""
        stream = self._handle.options(method_name="generate", stream=True)
        while not cancelled():
            events = stream.remote(request)
            begun = False
            with cancelling(events, cancelled):
                try:
                    for made in events:
                        if isinstance(made, Busy):
                            break
                        begun = True
                        if isinstance(made, Failure):
                            unless_failure(made)
                        if isinstance(made, Step | Picture):
                            yield made
                    else:
                        return
                except (RayError, RequestCancelledError) as error:
                    if cancelled():
                        return
                    if begun:
                        raise EngineError(GONE) from error
                    unless_broken(error)
            time.sleep(TICK)

    def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Rgb:
        """See `engine.Engine`. Raises RequestRefused or EngineError."""
        while not cancelled():
            answer = self._handle.upscale.remote(rgb, upscaler, use_opencl)
            with cancelling(answer, cancelled):
                try:
                    large = answer.result()
                except (RayError, RequestCancelledError) as error:  # nothing was sent yet: another one may try
                    unless_broken(error)
                else:
                    if not isinstance(large, Busy):
                        return unless_failure(large)
            time.sleep(TICK)
        raise EngineError("nobody waits for it any more")

    def close(self) -> None:
        """Let the replicas go."""
        self._close()


class TokenizingRayEngine(RayEngine):
    """Where the replicas' engine counts tokens."""

    def tokenize(self, prompt: str) -> TokenCount:
        """Raises RequestRefused or EngineError."""
        answer: TokenCount | Failure = ask(self._handle.tokenize.remote(prompt))
        return unless_failure(answer)


def engine_of(handle: DeploymentHandle, replicas: int, close: Callable[[], None]) -> RayEngine:
    """The engine, with a tokenizer where the replicas have one."""
    engine = RayEngine(handle, replicas, close)
    return TokenizingRayEngine(handle, replicas, close) if engine._nature.tokenizes else engine


def ask(answer: Any) -> Any:
    """What a replica answers to a question. Raises EngineError."""
    try:
        return answer.result(timeout_s=PATIENCE)
    except (RayError, RayServeException, TimeoutError) as error:
        raise EngineError("no replica answers; try again later") from error


def unless_failure(answer: T | Failure) -> T:
    """Raises what the replica's engine raised: RequestRefused or EngineError."""
    if not isinstance(answer, Failure):
        return answer
    if answer.request_error is None:
        raise EngineError(f"the engine failed ({answer.text})")
    raise RequestRefused(answer.text) if answer.request_error else EngineError(answer.text)


def unless_broken(error: Exception) -> None:
    """For an error that only means that a replica is not there any more. Raises EngineError for a mistake in it."""
    if isinstance(error, RayTaskError):
        raise EngineError("a replica failed; its log in the cluster says why") from error


@contextmanager
def cancelling(answer: Any, cancelled: Cancelled) -> Iterator[None]:
    """While inside, the replica is told when nobody waits any more; on leaving, it is told in any case.

    A thread looks, since whoever reads an answer sleeps until there is one.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(TICK):
            if cancelled():
                answer.cancel()
                return

    watcher = threading.Thread(target=watch, name="cancelling", daemon=True)
    watcher.start()
    try:
        yield
    except GeneratorExit:  # the front's generator was closed before its end
        answer.cancel()
        raise
    finally:
        done.set()
        watcher.join()
