"""Extension size: one number for both sides."""

from __future__ import annotations

from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.size_limits import check_size


class Size(Extension):
    """`size` overrides `width` and `height`, whichever of them is sent too."""

    name = "size"

    def reshaped(self, fields: Fields) -> Fields:
        if fields["size"] is None:
            return fields
        side = int(fields["size"])
        check_size(self.engine.limits(), {"size": side}, side, side)
        return {**fields, "width": side, "height": side}
