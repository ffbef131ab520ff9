"""All extensions, in the order in which they shape a request."""

from __future__ import annotations

from mockserver.engine import Engine
from mockserver.extensions.aspect_ratio import AspectRatio
from mockserver.extensions.cors import Cors
from mockserver.extensions.extension import Extension
from mockserver.extensions.formats import Formats
from mockserver.extensions.schedulers import Schedulers
from mockserver.extensions.size import Size
from mockserver.extensions.tokenize import Tokenize
from mockserver.lane import Lane
from mockserver.settings import ServerSettings

KINDS: tuple[type[Extension], ...] = (Formats, Size, AspectRatio, Schedulers, Tokenize, Cors)
NAMES = tuple(kind.name for kind in KINDS)


def extensions_of(engine: Engine, settings: ServerSettings, generations: Lane) -> list[Extension]:
    """Those that the settings do not turn off."""
    return [kind(engine, settings, generations) for kind in KINDS if kind.name not in settings.without]
