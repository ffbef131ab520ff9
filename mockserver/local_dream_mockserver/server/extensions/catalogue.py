"""All extensions, in the order in which they shape a request."""

from __future__ import annotations

from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine
from local_dream_mockserver.server.extensions.aspect_ratio import AspectRatio
from local_dream_mockserver.server.extensions.cors import Cors
from local_dream_mockserver.server.extensions.extension import Extension
from local_dream_mockserver.server.extensions.formats import Formats
from local_dream_mockserver.server.extensions.prompt_weights import PromptWeights
from local_dream_mockserver.server.extensions.reference_images import ReferenceImages
from local_dream_mockserver.server.extensions.schedulers import Schedulers
from local_dream_mockserver.server.extensions.size import Size
from local_dream_mockserver.server.extensions.tokenize import Tokenize
from local_dream_mockserver.server.extensions.ultrafix import Ultrafix
from local_dream_mockserver.server.worker import Worker

KINDS: tuple[type[Extension], ...] = (
    *(Formats, Size, AspectRatio, Schedulers, PromptWeights, Ultrafix, ReferenceImages),
    *(Tokenize, Cors),
)
NAMES = tuple(kind.name for kind in KINDS)


def extensions_of(engine: Engine, settings: ServerSettings, generations: Worker) -> list[Extension]:
    """Those that the settings do not turn off."""
    return [kind(engine, settings, generations) for kind in KINDS if kind.name not in settings.without]
