"""Starlette as this project runs it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp


class Application(Starlette):
    """Without Starlette's outermost layer, which would answer an error in HTML: `error_middleware` has its place."""

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = ExceptionMiddleware(self.router, handlers=self.exception_handlers)
        for layer, arguments, keys in reversed(self.user_middleware):
            app = layer(app, *arguments, **keys)
        return app
