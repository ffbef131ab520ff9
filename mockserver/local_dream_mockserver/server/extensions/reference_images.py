"""Extension reference_images: pictures that a generation follows."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.server.engine import FollowsPictures, GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.image_input import read_small

LONGEST_SIDE = 1024
"""Pixels; a larger picture is made smaller: it is looked at, and not painted over."""


class ReferenceImages(Extension):
    """The engine gets the pictures in their own sizes; one that cannot follow them refuses the field."""

    name = "reference_images"

    def completed(self, request: GenerationRequest, fields: Fields) -> GenerationRequest:
        if fields[self.name] is None:
            return request
        if not isinstance(self.engine, FollowsPictures) or not self.engine.follows_pictures:
            message = f"{self.name}: this model follows no pictures; leave them out"
            raise APIError(400, message, code=Code.OVER_LIMIT, field=self.name)
        most = self.settings.max_picture_pixels
        found = tuple(read_small(self.name, text, LONGEST_SIDE, most) for text in fields[self.name])
        return replace(request, reference_images=found)
