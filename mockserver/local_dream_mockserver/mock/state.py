"""The orders: what the mock has been told to do, and which of it a request meets."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from weakref import WeakSet

from starlette.types import Scope

from local_dream_mockserver.faults.catalogue import Chosen, Fault, Quirk
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.selection import HEADER, MOST_AT_ONCE, Selection, expect_extensions, several
from local_dream_mockserver.mock.answers import Answer
from local_dream_mockserver.mock.pace import Pace, Paced
from local_dream_mockserver.mock.recorder import KEY
from local_dream_mockserver.mock.request_log import Request
from local_dream_mockserver.mock.wire_marks import ByWire, Marks
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.unknown import Unknown
from local_dream_mockserver.server.http_protocol import HttpProtocol

SCRIPTED = ("/generate", "/upscale")
MOST_ANSWERS = 10_000
_NAMED = HEADER.lower().encode()


class MockState:
    """Faults, quirks and the script; from any thread.

    `before` makes alterations that stand nearest to the honest server whatever is ordered, and `always` are the faults
    and quirks that `reset` goes back to. What is about an extension of `without`, which the server has turned off, is
    refused. Faults and quirks act from the server outwards as they were ordered, quirks first. An answer of the script
    takes the place of the faults; quirks stay. `pace` is the engine's.
    """

    def __init__(
        self,
        before: Sequence[Callable[[], FaultHooks]] = (),
        always: Sequence[Chosen] = (),
        without: Collection[str] = (),
        pace: Pace | None = None,
    ) -> None:
        self.marks = Marks()
        self.pace = pace or Pace()
        self._paced: WeakSet[Paced] = WeakSet()
        self._lock = threading.RLock()
        self._makers = tuple(before)
        self._always = tuple(always)
        self._without = frozenset(without)
        for one in self._always:
            expect_extensions(one, self._without)
        self.reset()

    def reset(self) -> None:
        """As at the start; what faults remember of earlier requests is forgotten."""
        self.pace.reset()
        self.release()
        with self._lock:
            self._faults = tuple(one for one in self._always if isinstance(one.entry, Fault))
            self._quirks = tuple(one for one in self._always if isinstance(one.entry, Quirk))
            self._before = [make() for make in self._makers]
            self._script: deque[Answer] = deque()
            self._select()

    def order(self, kind: type[Fault] | type[Quirk], names: Iterable[str], *, more: bool) -> None:
        """Faults or quirks `NAME[@PLACE]` for the requests from now on, in place of those so far or (`more`) besides
        them. Raises Unknown, and then changes nothing."""
        with self._lock:
            standing = (self._faults if kind is Fault else self._quirks) if more else ()
            chosen = tuple({str(one): one for one in (*standing, *self._chosen(kind, names))}.values())
            if kind is Fault:
                self._faults = chosen
            else:
                self._quirks = chosen
            self._select()

    def script(self, answers: Iterable[Answer], *, more: bool) -> None:
        """The answers of the next requests of /generate and /upscale, one each; `more` adds to those that are left.
        Raises Unknown, and then changes nothing."""
        added = list(answers)
        with self._lock:
            script = [*(self._script if more else ()), *added]
            if len(script) > MOST_ANSWERS:
                raise Unknown(f"a script has at most {MOST_ANSWERS} answers")
            for answer in added:
                self._of(answer)
            self._script = deque(script)

    def release(self) -> None:
        """Lets go on what is held, and what will be held of the requests so far."""
        with self._lock:
            for paced in self._paced:
                paced.let_go()

    @property
    def faults(self) -> list[str]:
        return list(map(str, self._faults))

    @property
    def quirks(self) -> list[str]:
        return list(map(str, self._quirks))

    @property
    def script_left(self) -> list[str]:
        """Answers that no request has had yet."""
        with self._lock:
            return list(map(str, self._script))

    def __call__(self, scope: Scope) -> FaultHooks:
        """The alteration for a request; takes the script's next answer where it is one that has one."""
        request: Request = scope[KEY]
        with self._lock:
            names, selection = self._names, self._selection
            if self._script and scope["path"] in SCRIPTED and scope["method"] == "POST":
                answer = self._script.popleft()
                names = [*self.quirks, str(answer)]
                selection = Selection([*self._before, *self._made_quirks, *self._of(answer)], self._within)
        asked = request.headers.getlist(HEADER)
        request.begin(", ".join([*names, *asked]) or "honest")
        return selection(scope)

    def needs_proxy(self, begun: bytes) -> bool:
        """Whether a request may meet a fault of the wire, by what has come of it."""
        return self._by_wire or bool(self._script) or _NAMED in begun.lower()

    @property
    def http(self) -> type[HttpProtocol]:
        """How a new connection's bytes are read as HTTP."""
        return self._selection.http

    def _select(self) -> None:
        self._made_quirks = [self._made(one) for one in self._quirks]
        faults = [self._made(one) for one in self._faults]
        self._selection = Selection([*self._before, *self._made_quirks, *faults], self._within)
        self._names = [*self.quirks, *self.faults]
        self._by_wire = any(isinstance(one, ByWire) for one in self._selection.always)

    def _of(self, answer: Answer) -> list[FaultHooks]:
        made = [self._within(one) for one in several(answer.names, MOST_AT_ONCE)]
        if answer.make is not None:
            made.append(answer.make())
            self._paced.update(one for one in made[-1:] if isinstance(one, Paced))
        return made

    def _within(self, chosen: Chosen) -> FaultHooks:
        """What one request alone can meet. Raises Unknown."""
        expect_extensions(chosen, self._without)
        made = self._made(chosen)
        if made.http is not HttpProtocol:
            raise Unknown(f"{chosen}: changes how a connection is read; order it for all requests")
        return made

    def _made(self, chosen: Chosen) -> FaultHooks:
        thing = chosen.make()
        return ByWire(thing, self.marks) if isinstance(thing, ResponseMutator) else thing

    def _chosen(self, kind: type[Fault] | type[Quirk], names: Iterable[str]) -> tuple[Chosen, ...]:
        chosen = tuple(several(names))
        for one in chosen:
            expect_extensions(one, self._without)
            if not isinstance(one.entry, kind):
                other = type(one.entry).__name__.lower()
                raise Unknown(f"{one}: it is a {other}; order it as a {other}")
        return chosen
