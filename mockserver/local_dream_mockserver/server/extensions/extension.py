"""The places where an extension joins the server. `catalogue` has them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.middleware import Middleware
from starlette.routing import Route

from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine, GenerationRequest
from local_dream_mockserver.server.worker import Worker

Fields = dict[str, Any]
"""The fields of a request that the server knows, validated by the schema, with defaults for those left out."""


class Extension:
    """Adds nothing; each extension overrides what it needs.

    Its fields of a request are those with its name under `x-extension` in the contract's schema `GenerateExtensions`:
    without the extension they are unknown fields. `generations` is where the engine generates.
    """

    name: ClassVar[str]

    def __init__(self, engine: Engine, settings: ServerSettings, generations: Worker) -> None:
        self.engine = engine
        self.settings = settings
        self.generations = generations

    def reshaped(self, fields: Fields) -> Fields:
        """The fields with what the extension's own mean for those of the core. In a worker thread.

        Raises APIError (400)."""
        return fields

    def completed(self, request: GenerationRequest, fields: Fields) -> GenerationRequest:
        """The request with what the extension's fields say of the answer."""
        return request

    def routes(self) -> Sequence[Route]:
        """Paths of its own."""
        return ()

    def middleware(self) -> Sequence[Middleware]:
        """Layers around the routes."""
        return ()
