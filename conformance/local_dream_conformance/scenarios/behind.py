"""Clients that are behind: what nobody reads fills the buffers of a connection, and then the server waits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from local_dream_conformance.core.settings import Settings
from local_dream_conformance.scenarios.drafts import Draft

FILLS = 6e6
"""Bytes that leave no room in a connection: of what nobody read, Linux took 4.5 MB between two of its sockets."""
FASTEST = 12e6
"""Bytes in a second beyond which previews are thinned: what comes before is read, and kept."""
LONGEST = 1.5
"""Seconds for which it is worth to read nothing."""
SHARE = 0.35
"""Share of a generation for which nothing may be read: what is left of it then must still tell whether it stops."""


@dataclass(frozen=True)
class Behind:
    """How a client gets behind: with previews at a stride, of which it reads none for so many seconds."""

    stride: int
    seconds: float

    def asked(self, draft: Draft) -> Draft:
        """The draft with these previews."""
        return draft.with_fields(show_diffusion_process=True, show_diffusion_stride=self.stride)


def behind(settings: Settings, size: tuple[int, int], per_step: float | None, steps: int) -> Behind | None:
    """How to get behind in a generation of so many steps, each of so many seconds; None where a server is too slow for
    that, or so fast that the generation would be over, or its speed is not known.

    `size` is the picture's, unless the settings have one.
    """
    if per_step is None:
        return None
    width, height = settings.size or size
    preview = width * height * 4  # raw RGB in base64
    step = max(per_step, 0.001)
    stride = math.ceil(preview / step / FASTEST)
    seconds = FILLS / preview * step * stride
    return Behind(stride, seconds) if seconds <= min(LONGEST, SHARE * steps * per_step) else None
