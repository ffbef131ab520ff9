"""From a function to an entry of the catalogue: what all decorators of faults share."""

from __future__ import annotations

import inspect
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias, TypedDict, TypeVar, Unpack

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, register
from local_dream_mockserver.faults.hooks import FaultHooks, hooked
from local_dream_mockserver.faults.middleware import value_of
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.trigger import Trigger, Unit, parse_trigger
from local_dream_mockserver.server.spec import extensions_of

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
Function: TypeAlias = Callable[..., Any]
HEAD = re.compile(
    r"(?P<name>[a-z0-9-]+)(@(?P<at>[a-z0-9:]+))?( \((?P<marks>(quirk|[A-Z0-9-]+)(, [A-Z0-9-]+)*)\))?: (?P<sentence>.+)"
)
QUIRK = "quirk"
OF = extensions_of()


class Decorator(Protocol):
    """Puts a function into the catalogue, and gives it back."""

    def __call__(self, function: F, /) -> F: ...


class Options(TypedDict, total=False):
    """What every decorator takes by name.

    `quirk`: odd but legal; the ids are the SHOULDs that speak against it. `layer`: where it happens, if not where the
    decorator says. `extensions`: those that it is about, where these are not those of its ids; the layer is then
    EXTENSION. `name` and `sentence`: for functions made in a loop, in place of their own name and docstring. `state`:
    makes an object for each server, which the function gets as its first argument. `at`: the place where it happens
    unless another one is asked for; `units`: what a place may be counted in.
    """

    quirk: bool
    layer: Layer
    extensions: tuple[str, ...]
    name: str
    sentence: str
    state: Callable[[], Any]
    at: str
    units: tuple[Unit, ...]


class Selected(Options, total=False):
    """Which requests are meant: of the paths `on` and of these `methods` (none: all), with the header `having`."""

    on: tuple[str, ...]
    methods: tuple[str, ...]
    having: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A request at the door of the application, with the fault's function and hooks."""

    function: Function
    hooks: FaultHooks
    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send

    async def goes_on(self) -> None:
        """The application answers it."""
        await self.app(self.scope, self.receive, self.send)


def declare(
    function: F,
    ids: tuple[str, ...],
    options: Options,
    make: Callable[[Trigger | None, Function], FaultHooks | ResponseMutator],
    layer: Layer,
) -> F:
    """Adds an entry to the catalogue, and gives the function back.

    Its name is the function's with - for _, its sentence the first paragraph of the docstring. `make` gets the place
    and the function, which has its state already.
    """
    extensions = options.get("extensions") or tuple(dict.fromkeys(OF[id] for id in ids if id in OF))
    state = options.get("state")

    def made(place: Trigger | None) -> FaultHooks | ResponseMutator:
        return make(place, partial(function, state()) if state else function)

    common: dict[str, Any] = {
        "name": options.get("name") or function.__name__.replace("_", "-"),
        "sentence": options.get("sentence") or sentence_of(function),
        "layer": Layer.EXTENSION if extensions else options.get("layer", layer),
        "make": made,
        "units": options.get("units", ()),
        "place": parse_trigger(options["at"]) if options.get("at") else None,
        "extensions": extensions,
    }
    register(Quirk(**common, discouraged=ids) if options.get("quirk") else Fault(**common, breaks=ids))
    return function


def hooking(ids: tuple[str, ...], options: Options, layer: Layer, **hooks: Function) -> Decorator:
    """The decorator of functions that these hooks call: each gets the function, the FaultHooks, and its arguments."""

    def make(place: Trigger | None, function: Function) -> FaultHooks:
        return hooked(place, **{name: partial(hook, function) for name, hook in hooks.items()})

    return lambda function: declare(function, ids, options, make, layer)


def visiting(visit: Callable[[Visit], Awaitable[None]], ids: tuple[str, ...], options: Selected) -> Decorator:
    """The decorator of functions with which `visit` handles the requests that are meant."""
    on, methods, having = options.get("on"), options.get("methods"), options.get("having", "").encode()

    def wrap(function: Function, self: FaultHooks, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            wanted = (not on or scope["path"] in on) and (not methods or scope["method"] in methods)
            wanted = wanted and (not having or bool(value_of(scope["headers"], having)))
            await (visit(Visit(function, self, app, scope, receive, send)) if wanted else app(scope, receive, send))

        return around

    return hooking(ids, options, Layer.REQUEST, wrap=wrap)


def whole(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`() -> FaultHooks`: all hooks of a fault that needs several of them, made with `hooked` for each server."""
    return lambda function: declare(function, ids, options, lambda place, made: made(), Layer.REQUEST)


def several(decorator: Callable[..., Decorator], *ids: str, **options: Any) -> Callable[..., None]:
    """Declares faults of one expression each: `several(decorator, *ids, **options)(head, function, head, function)`.

    A head is `name@place (quirk, ids): sentence`, with its place, if it has one, and the ids that this fault alone
    breaks; `ids` and `options` are those of all. `where(function, **options)` is a function with options of its own.
    """

    def table(*rows: Any) -> None:
        for head, row in zip(rows[::2], rows[1::2], strict=True):
            found = HEAD.fullmatch(head)
            if not found:
                raise ValueError(f"{head!r} is not of the form `name@place (quirk, ids): sentence`")
            marks = found["marks"].split(", ") if found["marks"] else []
            function, alone = row if isinstance(row, tuple) else (row, {})
            own: dict[str, Any] = {**alone, "name": found["name"], "sentence": found["sentence"]}
            own |= {"at": found["at"]} if found["at"] else {}
            own |= {"quirk": True} if QUIRK in marks else {}
            decorator(*ids, *(id for id in marks if id != QUIRK), **{**options, **own})(function)

    return table


def where(function: Function, **options: Any) -> tuple[Function, dict[str, Any]]:
    """A function in a table of `several`, with the options that this fault alone has."""
    return function, options


def sentence_of(function: Function) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def called(function: Function, *values: Any) -> Any:
    """Calls it with as many of the values as it takes: most faults need the first alone."""
    parameters = inspect.signature(function).parameters.values()
    return function(*values[: sum(one.default is one.empty for one in parameters)])


def changed(hooks: FaultHooks | ResponseMutator, came: object, made: T) -> T:
    """What was made of what came; counts a hit where it is something else."""
    if made != came:
        hooks.happened()
    return made


async def compared(
    change: Callable[[AsyncIterator[T]], AsyncIterator[T]], values: AsyncIterator[T], differs: Callable[[], None]
) -> AsyncIterator[T]:
    """What `change` makes of the values; calls `differs` at the end if that is not what came, one by one.

    A value is kept until it has been compared, and none once they differ.
    """
    came: deque[T] = deque()
    same = True

    async def coming() -> AsyncIterator[T]:
        async for value in values:
            if same:
                came.append(value)
            yield value

    try:
        async for value in change(coming()):
            same = same and bool(came) and came.popleft() == value
            yield value
    finally:
        if not same or came:
            differs()
