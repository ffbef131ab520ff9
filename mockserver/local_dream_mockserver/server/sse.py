"""Events as bytes, in the one form that every client in the field can read.

`event:` line first, then one `data: ` line of JSON, LF line ends, a blank line. The JSON is ASCII, so that no byte of
it can be taken for a line end or be cut in two by a chunk.
"""

from __future__ import annotations

import json

from local_dream_mockserver.server.events import Event, Failed


def encode(event: Event) -> bytes:
    """One event, its ending blank line included."""
    payload = event.payload()
    image = None if isinstance(event, Failed) else event.image
    if image is None:
        return f"event: {event.type}\ndata: {_json(payload)}\n\n".encode("ascii")
    # A megabyte of base64 needs no look at each character for what JSON would escape.
    payload["image"] = ""
    before, quotes, after = _json(payload).partition('"image":""')
    return f'event: {event.type}\ndata: {before}{quotes[:-1]}{image}"{after}\n\n'.encode("ascii")


_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
