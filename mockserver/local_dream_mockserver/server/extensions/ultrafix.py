"""Extension ultrafix: a large picture refined tile by tile."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.server.engine import GenerationRequest, Refines
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.spec import default_of

TILE = "tile_size"


class Ultrafix(Extension):
    """The engine refines `image`, and sends no previews; one that cannot refine refuses the field."""

    name = "ultrafix"

    def reshaped(self, fields: Fields) -> Fields:
        if not fields[self.name]:
            return fields
        if not isinstance(self.engine, Refines) or not self.engine.refines:
            raise _refusal(self.name, "not supported by this engine; leave it out", Code.OVER_LIMIT)
        if fields["image"] is None:
            raise _refusal(self.name, "needs an image to refine; send it as image", Code.MISSING)
        if fields["mask"] is not None:
            raise _refusal(self.name, "takes no mask; leave one of the two out", Code.OUT_OF_RANGE)
        shorter = min(fields["width"], fields["height"])
        if _tile(fields) > shorter:
            wanted = f"{_tile(fields)} is more than the shorter side, {shorter}; send a larger size or a smaller tile"
            raise _refusal(TILE, wanted, Code.OUT_OF_RANGE)
        return fields

    def completed(self, request: GenerationRequest, fields: Fields) -> GenerationRequest:
        if not fields[self.name]:
            return request
        return replace(request, ultrafix=True, tile_size=_tile(fields), previews=False)


def _tile(fields: Fields) -> int:
    sent = fields[TILE]
    return int(default_of(TILE) if sent is None else sent)


def _refusal(field: str, message: str, code: Code) -> APIError:
    return APIError(400, f"{field}: {message}", code=code, field=field)
