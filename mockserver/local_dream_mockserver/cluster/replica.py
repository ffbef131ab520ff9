"""One engine in a process of its own, on any node of the cluster. Needs no Ray: Ray Serve makes it and calls it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from local_dream_mockserver.cluster.messages import Begun, Busy, Failure, Nature, Picture, Step, TokenCount
from local_dream_mockserver.server.engine import Engine, GenerationRequest, Rgb, Tokenizes
from local_dream_mockserver.server.engine import Picture as AnyPicture
from local_dream_mockserver.server.engine import Step as AnyStep
from local_dream_mockserver.server.engines import load_engine
from local_dream_mockserver.server.errors import log_failure

T = TypeVar("T")

END: Final = object()


class Replica:
    """Does one generation and one upscale at a time; says that it is busy rather than let a second one wait.

    Its methods are coroutines that Ray Serve may cancel, which it does when the front says that nobody waits. What
    computes does so in a thread for each kind of work, and a replica is free again when that thread is.
    """

    def __init__(self, name: str, options: Mapping[str, str]) -> None:
        """Raises CannotLoad."""
        self._engine: Engine = load_engine(name, options)
        self._generates = Lane("generate")
        self._upscales = Lane("upscale")

    async def nature(self) -> Nature:
        """What the engine says of itself."""
        return Nature.of(self._engine)

    async def generate(self, request: GenerationRequest) -> AsyncIterator[Begun | Busy | Step | Picture | Failure]:
        """Begun, what the engine yields, and perhaps a Failure; or Busy, and no more."""
        if not self._generates.take():
            yield Busy()
            return
        cancelled = threading.Event()
        made: Iterator[AnyStep | AnyPicture] = iter(())
        try:
            yield Begun()
            made = self._engine.generate(request, cancelled.is_set)
            while (one := await self._generates.run(next, made, END)) is not END:
                yield Picture(one.rgb, one.first_step_seconds) if isinstance(one, AnyPicture) else step_of(one)
        except Exception as error:  # an engine may raise anything
            yield failure(error)
        finally:
            cancelled.set()
            self._generates.give_back(getattr(made, "close", None))

    async def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool) -> Rgb | Busy | Failure:
        """The picture, four times as wide and high."""
        if not self._upscales.take():
            return Busy()
        cancelled = threading.Event()
        try:
            return await self._upscales.run(self._engine.upscale, rgb, upscaler, use_opencl, cancelled.is_set)
        except Exception as error:  # an engine may raise anything
            return failure(error)
        finally:
            cancelled.set()
            self._upscales.give_back()

    async def resolve_upscaler(self, path: str) -> str | Failure:
        """See `engine.Engine`."""
        return await asked(lambda: self._engine.resolve_upscaler(path))

    async def tokenize(self, prompt: str) -> TokenCount | Failure:
        """See `engine.Tokenizes`."""
        assert isinstance(self._engine, Tokenizes)
        engine = self._engine

        def count() -> TokenCount:
            found = engine.tokenize(prompt)
            return TokenCount(found.count, found.max_length, found.overflow_offset)

        return await asked(count)


class Lane:
    """The thread for one kind of work. Belongs to one event loop."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._taken = threading.Lock()

    def take(self) -> bool:
        """Whether it was free; it is not any more."""
        return self._taken.acquire(blocking=False)

    def run(self, work: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        """Do something in the thread."""
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def give_back(self, close: Callable[[], None] | None = None) -> None:
        """Free it as soon as the thread has done what it is at, and then `close`."""

        def end() -> None:
            try:
                if close is not None:
                    close()
            except Exception as error:  # nobody waits to hear of it
                log_failure(error)
            finally:
                self._taken.release()

        self._thread.submit(end)


def step_of(made: AnyStep) -> Step:
    """The same as a plain value."""
    return Step(made.step, made.total_steps, made.preview)


async def asked(question: Callable[[], T]) -> T | Failure:
    """The answer of the engine, in a thread of its own."""
    try:
        return await asyncio.to_thread(question)
    except Exception as error:  # an engine may raise anything
        return failure(error)


def failure(error: Exception) -> Failure:
    """For the front; what nobody expected goes to the log here, where its traceback is."""
    told = Failure.of(error)
    if not told.request_error:
        log_failure(error)
    return told
