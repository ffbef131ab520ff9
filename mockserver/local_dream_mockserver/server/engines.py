"""The engines that are installed: found through the entry point group, loaded by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from local_dream_mockserver.server.engine import Engine, EngineFactory

GROUP = "local_dream.engines"


class CannotLoad(Exception):
    """There is no such engine, or it cannot work here; the message is one line that says what to do."""


def load_engine(name: str, options: Mapping[str, str]) -> Engine:
    """Loads an engine; it is ready when this returns. Raises CannotLoad."""
    entry = _find(name)
    try:
        create: EngineFactory = entry.load()
        return create(options)
    except ModuleNotFoundError as error:
        raise CannotLoad(f"the engine {name} needs {error.name}, which is not installed: {_remedy(entry)}") from error
    except Exception as error:  # an engine may raise anything; see `engine.EngineFactory` for what it tells
        if getattr(error, "request_error", None) is not None:
            raise CannotLoad(str(error)) from error
        raise CannotLoad(f"the engine {name} cannot be loaded: {_line(error)}") from error


def _find(name: str) -> EntryPoint:
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise CannotLoad(f"there is no engine {name!r}; installed are {', '.join(sorted(found))}")
    return found[name]


def _remedy(entry: EntryPoint) -> str:
    """How to install what an engine needs: by the extra of its name, where its distribution has one."""
    if entry.dist is not None and entry.name in (entry.dist.metadata.get_all("Provides-Extra") or ()):
        return f"pip install '{entry.dist.name}[{entry.name}]'"
    return "install it"


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
