"""Extension aspect_ratio: the shape of the picture as W:H."""

from __future__ import annotations

from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.size_limits import check_size

MULTIPLE = 8


class AspectRatio(Extension):
    """The longer side is the longer one of width and height; the shorter one follows, down to a multiple of 8."""

    name = "aspect_ratio"

    def reshaped(self, fields: Fields) -> Fields:
        if fields["aspect_ratio"] is None:
            return fields
        if fields["aspect_ratio"].endswith("\n"):  # Python's patterns end before one, those of the contract do not
            message = "aspect_ratio: ends with a line end; send a string such as 16:9"
            raise APIError(400, message, code=Code.WRONG_FORM, field="aspect_ratio")
        across, down = (int(part) for part in fields["aspect_ratio"].split(":"))
        longer = int(max(fields["width"], fields["height"]))
        shorter = max(MULTIPLE, longer * min(across, down) // max(across, down) // MULTIPLE * MULTIPLE)
        width, height = (longer, shorter) if across >= down else (shorter, longer)
        check_size(self.engine.limits(), {"aspect_ratio": shorter}, width, height)
        return {**fields, "width": width, "height": height}
