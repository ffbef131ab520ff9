"""Extension formats: pictures in events as PNG or JPEG."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.extensions.extension import Extension, Fields

OUTPUT, PREVIEW = "output_format", "preview_format"


class Formats(Extension):
    """`output_format` for the picture in complete, `preview_format` for those in progress: raw, jpeg or png.

    A client that sends one of them gets `format` with every picture; one that sends neither gets the core's events.
    """

    name = "formats"

    def completed(self, request: GenerationRequest, fields: Fields) -> GenerationRequest:
        if fields[OUTPUT] is None and fields[PREVIEW] is None:
            return request
        return replace(request, output_format=fields[OUTPUT] or "raw", preview_format=fields[PREVIEW] or "raw")
