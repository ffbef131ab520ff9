"""How the planned generations are spelt: a covering array of what a request can be sent in whatever it asks for.

Content-Type, headers, the case of their names and the layout of the JSON mean nothing to a server that is right, so
that every generation may have any of them. They are dealt out so that each value is sent by the core profile's
generations alone, and that no other table of as many rows has more pairs of values.
"""

from __future__ import annotations

from collections.abc import Mapping

PLAIN = ""
"""The value of a parameter in a request that has none of its forms."""
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "type": (PLAIN, "content-type-charset", "content-type-case", "content-type-absent", "content-type-text"),
    "headers": (PLAIN, "headers-of-a-page", "headers-of-an-app", "accept-stream"),
    "names": (PLAIN, "header-names-lower", "header-names-upper"),
    "layout": (PLAIN, "json-compact", "json-indented"),
    "coding": (PLAIN, "accept-encoding"),
    "slashes": (PLAIN, "json-slashes"),
    "order": (PLAIN, "json-reverse"),
    "padding": (PLAIN, "json-padded"),
}
"""What can be varied, with the names of the forms; a request has one of each."""

# defaults/absent is sent as pages send, and its many steps show whether a coding holds the stream back.
SPELT: Mapping[str, str] = {
    "base": (
        "content-type-charset accept-stream header-names-upper json-compact accept-encoding json-reverse json-padded"
    ),
    "defaults/absent": (
        "content-type-text headers-of-a-page header-names-lower json-compact accept-encoding json-slashes json-padded"
    ),
    "defaults/explicit": "header-names-upper accept-encoding json-slashes json-padded",
    "strength/low": "content-type-absent headers-of-an-app json-indented accept-encoding json-slashes json-padded",
    "hang-up/abandoned": "headers-of-an-app json-compact json-reverse",
    "hang-up/next": "content-type-case accept-stream json-slashes",
    "overlap/first": "content-type-case headers-of-a-page header-names-upper json-indented json-reverse",
    "overlap/second": "content-type-absent header-names-lower json-reverse",
    "negative": "content-type-text headers-of-an-app header-names-upper json-padded",
    "edges/seed-max": "accept-stream header-names-lower json-indented accept-encoding json-reverse",
    "edges/seed-next": (
        "content-type-charset headers-of-an-app header-names-lower json-indented accept-encoding json-padded"
    ),
    "fields/cfg": ("content-type-case header-names-lower json-compact accept-encoding json-slashes json-padded"),
    "fields/scheduler": "content-type-charset headers-of-a-page json-slashes",
    "fields/steps": "content-type-text json-indented accept-encoding json-slashes json-reverse",
    "chain/image": "content-type-absent headers-of-a-page header-names-upper json-compact json-slashes",
    "chain/seed": "content-type-case headers-of-an-app header-names-lower accept-encoding json-reverse",
    "chain/other-image": "content-type-absent accept-stream json-indented json-padded",
    "chain/mask": "content-type-text accept-stream header-names-lower json-compact accept-encoding json-slashes",
    "chain/no-mask": "content-type-charset header-names-upper json-indented json-reverse json-padded",
    "chain/negative": "headers-of-a-page accept-encoding json-slashes json-padded",
}
"""The forms of each generation, those of the core profile first. A value that is PLAIN stands nowhere.

Found by annealing: the first 14 have 219 of all 227 pairs, and no table of as many rows has more: a type and headers
alone have 20 pairs. With the others all pairs are sent.
"""


def spelling(label: str) -> tuple[str, ...]:
    """The names of the forms in which a generation is spelt."""
    return tuple(SPELT[label].split())
