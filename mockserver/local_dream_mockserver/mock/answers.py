"""The answers that a script is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.mock.pace import Paced
from local_dream_mockserver.mock.synthetic import Pacing
from local_dream_mockserver.server.engine import EngineError, GenerationRequest
from local_dream_mockserver.server.errors import APIError

LONGEST_MESSAGE = 10_000
"""Characters; a script may have thousands of messages."""


class BadAnswer(ValueError):
    """No answer that a script can have; the message is one line that says what there is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `names` are faults and quirks, `make` makes what does the rest; neither: the honest answer."""

    text: str
    names: tuple[str, ...] = ()
    make: Callable[[], FaultHooks] | None = None

    def __str__(self) -> str:
        return self.text


def ok() -> Answer:
    """The honest answer."""
    return Answer("ok")


def faulty(*names: str) -> Answer:
    """The answer with faults and quirks `NAME[@PLACE]`, of the wire too."""
    if not names or not all(isinstance(name, str) for name in names):
        raise BadAnswer('faulty: name at least one fault, such as "terminal-missing"')
    return Answer(f"faulty {', '.join(names)}", names)


def busy(retry_after: int = 5) -> Answer:
    """Status 503 with Retry-After in seconds and the error envelope."""
    if isinstance(retry_after, bool) or not isinstance(retry_after, int) or retry_after < 0:
        raise BadAnswer("busy: retry_after is a whole number of seconds from 0 up")
    problem = APIError(503, "busy with other requests; try again later", {"Retry-After": str(retry_after)})
    return Answer("busy", make=lambda: Refused(problem))


def refusal(message: str = "refused by the script", status: int = 400) -> Answer:
    """A refusal with the error envelope; `status` from 400 to 499."""
    return _refused("refusal", message, status, range(400, 500))


def server_error(message: str = "failed by the script", status: int = 500) -> Answer:
    """A failure before the stream has begun, with the error envelope; `status` from 500 to 599."""
    return _refused("server_error", message, status, range(500, 600))


def error_event(message: str = "failed by the script", after: int = 1) -> Answer:
    """A stream that ends with an error event, `after` so many progress events (0: at once; at most as many as there
    are). /upscale, which has no events, answers with status 500 and the same message."""
    _check_message("error_event", message)
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise BadAnswer("error_event: after is a number of progress events from 0 up")
    return Answer("error_event", make=lambda: Failing(message, after))


def paced(*, first: float = 0.0, step: float = 0.0, upscale: float = 0.0, hold: int | None = None) -> Answer:
    """The honest answer at a pace of its own: seconds before the first step, for each step, for an upscale. With `hold`
    it stands still after so many steps (0: before the first; an upscale before its answer) until the mock is told to
    release what it holds, or the client leaves."""
    if hold is not None and (isinstance(hold, bool) or not isinstance(hold, int) or hold < 0):
        raise BadAnswer("paced: hold is a number of steps from 0 up")
    pacing = pacing_of({"first": first, "step": step, "upscale": upscale}, "paced")
    return Answer("paced", make=lambda: Paced(pacing, hold))


def pacing_of(document: Any, what: str = "pace") -> Pacing:
    """{"first": SECONDS, "step": SECONDS, "upscale": SECONDS}, each 0 where it is left out. Raises BadAnswer."""
    names = [field.name for field in fields(Pacing)]
    if not isinstance(document, dict) or not document.keys() <= set(names):
        raise BadAnswer(f'{what}: send seconds for some of {", ".join(names)}, such as {{"step": 0.5}}')
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in document.values()):
        raise BadAnswer(f"{what}: seconds are numbers")
    try:
        return Pacing(**(dict.fromkeys(names, 0.0) | document))
    except EngineError as error:
        raise BadAnswer(str(error)) from None


MAKERS: dict[str, Callable[..., Answer]] = {
    "ok": ok,
    "busy": busy,
    "refusal": refusal,
    "server_error": server_error,
    "error_event": error_event,
    "paced": paced,
}


def answers_of(document: Any) -> list[Answer]:
    """A script as JSON: a list of names ("ok", "busy", ...) and of objects with one name and its options:
    {"refusal": {"message": "...", "status": 422}}, {"error_event": {"after": 2}}, {"faulty": ["reset@bytes:2000"]}.
    A string in place of the options is the message (or the fault). In Python answers may stand among them. Raises
    BadAnswer."""
    if not isinstance(document, list | tuple):
        raise BadAnswer('a script is a JSON list of answers, such as ["busy", "ok"]')
    return [one if isinstance(one, Answer) else _answer(one) for one in document]


def _answer(value: Any) -> Answer:
    name, options = value, None
    if isinstance(value, dict) and len(value) == 1:
        ((name, options),) = value.items()
    if name == "faulty":
        names: Sequence[Any] = [options] if isinstance(options, str) else options if isinstance(options, list) else ()
        return faulty(*names)
    if not isinstance(name, str) or name not in MAKERS:
        raise BadAnswer(f"{str(name)[:60]!r}: no answer of a script; there are {', '.join([*MAKERS, 'faulty'])}")
    try:
        if isinstance(options, dict):
            return MAKERS[name](**options)
        return MAKERS[name]() if options is None else MAKERS[name](options)
    except TypeError:
        raise BadAnswer(f"{name}: it has no such options") from None


def _refused(name: str, message: str, status: int, statuses: range) -> Answer:
    _check_message(name, message)
    if isinstance(status, bool) or status not in statuses:
        raise BadAnswer(f"{name}: status is a number from {statuses.start} to {statuses.stop - 1}")
    return Answer(name, make=lambda: Refused(APIError(status, message)))


def _check_message(name: str, message: str) -> None:
    if not isinstance(message, str) or not message:
        raise BadAnswer(f"{name}: message is a string that is not empty")
    if len(message) > LONGEST_MESSAGE:
        raise BadAnswer(f"{name}: message has at most {LONGEST_MESSAGE} characters")


class Refused(FaultHooks):
    """Answers with a problem, whatever was asked."""

    def __init__(self, problem: APIError) -> None:
        super().__init__()
        self.problem = problem

    def wrap(self, app: ASGIApp) -> ASGIApp:
        self.happened()
        return self.problem.response()


class Failing(FaultHooks):
    """Ends the stream with an error event before its time."""

    def __init__(self, message: str, after: int) -> None:
        super().__init__()
        self.message = message
        self.after = after

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            inside = APIError(500, self.message).response() if scope["path"] == "/upscale" else app
            await inside(scope, receive, send)

        return around

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        left = self.after
        async for message in messages:
            if left == 0 or message.kind != "progress":
                break
            left -= 1
            yield message
        self.happened()
        yield Message("error", "error", {"type": "error", "message": self.message})
