"""The mock server, and the server that an engine is plugged into. What others may import stands here; the modules below
are private.

For tests of clients: Mock (the fixture `local_dream_mock`), `running_mock`, and what they answer with. For engines: the
protocol Engine and its types, and `create_app`. Proxy breaks the answers of any server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_dream_mockserver.faults.catalogue import choose
    from local_dream_mockserver.mock.answers import Answer, BadAnswer
    from local_dream_mockserver.mock.mock import Mock, running_mock
    from local_dream_mockserver.mock.request_log import HangUp, Request
    from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
    from local_dream_mockserver.mock.violation import Violation
    from local_dream_mockserver.proxy.mutator import ResponseMutator
    from local_dream_mockserver.proxy.proxy import Proxy, parse_upstream
    from local_dream_mockserver.proxy.unknown import Unknown
    from local_dream_mockserver.server.app import create_app
    from local_dream_mockserver.server.config import ServerSettings
    from local_dream_mockserver.server.engine import (
        Cancelled,
        Description,
        Engine,
        EngineError,
        EngineFactory,
        GenerationRequest,
        Limits,
        Mask,
        Picture,
        RequestRefused,
        Rgb,
        Step,
        TokenCount,
        Tokenizes,
        UnknownUpscaler,
        Upscaler,
    )

__all__ = [
    "Answer",
    "BadAnswer",
    "Cancelled",
    "Description",
    "Engine",
    "EngineError",
    "EngineFactory",
    "GenerationRequest",
    "HangUp",
    "Limits",
    "Mask",
    "Mock",
    "Pacing",
    "Picture",
    "Proxy",
    "Request",
    "RequestRefused",
    "ResponseMutator",
    "Rgb",
    "ServerSettings",
    "Step",
    "SyntheticEngine",
    "TokenCount",
    "Tokenizes",
    "Unknown",
    "UnknownUpscaler",
    "Upscaler",
    "Violation",
    "choose",
    "create_app",
    "parse_upstream",
    "running_mock",
]

_HOMES = {
    "choose": ("faults.catalogue", "choose"),
    "Answer": ("mock.answers", "Answer"),
    "BadAnswer": ("mock.answers", "BadAnswer"),
    "Mock": ("mock.mock", "Mock"),
    "running_mock": ("mock.mock", "running_mock"),
    "HangUp": ("mock.request_log", "HangUp"),
    "Request": ("mock.request_log", "Request"),
    "Pacing": ("mock.synthetic", "Pacing"),
    "SyntheticEngine": ("mock.synthetic", "SyntheticEngine"),
    "Violation": ("mock.violation", "Violation"),
    "ResponseMutator": ("proxy.mutator", "ResponseMutator"),
    "Proxy": ("proxy.proxy", "Proxy"),
    "parse_upstream": ("proxy.proxy", "parse_upstream"),
    "Unknown": ("proxy.unknown", "Unknown"),
    "create_app": ("server.app", "create_app"),
    "ServerSettings": ("server.config", "ServerSettings"),
    "Cancelled": ("server.engine", "Cancelled"),
    "Description": ("server.engine", "Description"),
    "Engine": ("server.engine", "Engine"),
    "EngineError": ("server.engine", "EngineError"),
    "EngineFactory": ("server.engine", "EngineFactory"),
    "GenerationRequest": ("server.engine", "GenerationRequest"),
    "Limits": ("server.engine", "Limits"),
    "Mask": ("server.engine", "Mask"),
    "Picture": ("server.engine", "Picture"),
    "RequestRefused": ("server.engine", "RequestRefused"),
    "Rgb": ("server.engine", "Rgb"),
    "Step": ("server.engine", "Step"),
    "TokenCount": ("server.engine", "TokenCount"),
    "Tokenizes": ("server.engine", "Tokenizes"),
    "UnknownUpscaler": ("server.engine", "UnknownUpscaler"),
    "Upscaler": ("server.engine", "Upscaler"),
}
"""Where each public name lives, and its name there. They are imported when they are asked for: every pytest run imports
this package."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
