"""Events as bytes, in the one form that every client in the field can read.

`event:` line first, then one `data: ` line of JSON, LF line ends, a blank line. The JSON is ASCII, so that no byte of
it can be taken for a line end or be cut in two by a chunk.
"""

from __future__ import annotations

import json

from local_dream_mockserver.server.events import Event


def encode(event: Event) -> bytes:
    """One event, its ending blank line included."""
    data = json.dumps(event.payload(), separators=(",", ":"), allow_nan=False)
    return f"event: {event.type}\ndata: {data}\n\n".encode("ascii")
