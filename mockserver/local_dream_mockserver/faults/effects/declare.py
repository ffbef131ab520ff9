"""From a function to an entry of the catalogue: what all decorators of faults share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypedDict, TypeVar

from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, register
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.trigger import Trigger, Unit, parse_trigger

F = TypeVar("F", bound=Callable[..., Any])


class Options(TypedDict, total=False):
    """What every decorator takes by name.

    `quirk`: odd but legal; the ids are the SHOULDs that speak against it. `layer`: where it happens, if not where the
    decorator says. `extensions`: those that it is about; the layer is then EXTENSION. `name` and `sentence`: for
    functions made in a loop, in place of their own name and docstring. `state`: makes an object for each server, which
    the function gets as its first argument.
    """

    quirk: bool
    layer: Layer
    extensions: tuple[str, ...]
    name: str
    sentence: str
    state: Callable[[], Any]


def declare(
    function: F,
    ids: tuple[str, ...],
    options: Options,
    make: Callable[[Trigger | None, Callable[..., Any]], FaultHooks | ResponseMutator],
    layer: Layer,
    at: str = "",
    units: tuple[Unit, ...] = (),
) -> F:
    """Adds an entry to the catalogue, and gives the function back.

    Its name is the function's with - for _, its sentence the first paragraph of the docstring. `make` gets the place
    and the function, which has its state already.
    """
    extensions = options.get("extensions", ())
    state = options.get("state")

    def made(place: Trigger | None) -> FaultHooks | ResponseMutator:
        return make(place, partial(function, state()) if state else function)

    common: dict[str, Any] = {
        "name": options.get("name") or function.__name__.replace("_", "-"),
        "sentence": options.get("sentence") or sentence_of(function),
        "layer": Layer.EXTENSION if extensions else options.get("layer", layer),
        "make": made,
        "units": units,
        "place": parse_trigger(at) if at else None,
        "extensions": extensions,
    }
    register(Quirk(**common, discouraged=ids) if options.get("quirk") else Fault(**common, breaks=ids))
    return function


def sentence_of(function: Callable[..., Any]) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def called(function: Callable[..., Any], *values: Any) -> Any:
    """Calls it with as many of the values as it takes: most faults need the first alone."""
    return function(*values[: _count(function)])


def _count(function: Callable[..., Any]) -> int:
    parameters = inspect.signature(function).parameters.values()
    return sum(one.default is one.empty for one in parameters)


HEAD = re.compile(r"([a-z0-9-]+)(?: \(([A-Z0-9, -]+)\))?: (.+)")


def several(decorator: Callable[..., Callable[[Any], Any]], *ids: str, **options: Any) -> Callable[..., None]:
    """Declares faults of one expression each: `several(decorator, *ids, **options)(head, function, head, function)`.

    A head is `name (ids): sentence`, with the ids that the function alone breaks; `ids` and `options` are those of all.
    """

    def declared(*table: Any) -> None:
        for head, function in zip(table[::2], table[1::2], strict=True):
            name, own, sentence = HEAD.fullmatch(head).groups("")
            breaks = (*ids, *(id for id in own.split(", ") if id))
            decorator(*breaks, name=name, sentence=sentence, **options)(function)

    return declared
