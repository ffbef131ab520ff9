"""Faults of servers that end: what killed real ones, and what else programmers let happen."""

from __future__ import annotations

import json

from local_dream_mockserver.faults.effects.death import Call, Deadly, dies, dies_of_hang_up
from local_dream_mockserver.faults.effects.declare import several, whole
from local_dream_mockserver.faults.hooks import Reader
from local_dream_mockserver.server.engine import GenerationRequest

SURVIVAL = "SRV-05"
DEFAULT_WIDTH = 512
MOMENT = 1.0
"""Seconds that a supervisor takes to start a server again."""


def _number(call: Call, field: str) -> float:
    value = call.fields.get(field)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _header(call: Call, name: str) -> int:
    """As std::stoi reads it, which fails for what is beyond 31 bits."""
    text = call.headers.get(name, "")
    value = int(text) if text.removeprefix("-").isdigit() else 0
    return value if abs(value) < 2**31 else 0


several(dies, SURVIVAL)(
    "dies-of-a-wrong-type: The server ends on a request whose steps are a text.",
    lambda call: isinstance(call.fields.get("steps"), str),
    "dies-of-an-empty-body: The server ends on a POST /generate without a body.",
    lambda call: call.method == "POST" and call.path == "/generate" and not call.body,
    "dies-of-a-negative-size: The server ends on a negative width or height.",
    lambda call: min(_number(call, "width"), _number(call, "height")) < 0,
    "dies-of-an-upscale-too-large: The server ends on an upscale whose sides are numbers of 31 bits and whose size is"
    " beyond 32.",
    lambda call: _header(call, "x-image-width") * _header(call, "x-image-height") * 3 >= 2**32,
)
several(dies, SURVIVAL, back=MOMENT)(
    "dies-and-comes-back: The server ends on JSON that breaks off, and its supervisor starts it again within a second.",
    lambda call: call.path == "/generate" and call.body[:1] == b"{" and call.body[-1:] != b"}",
)
several(dies_of_hang_up, SURVIVAL)(
    "dies-of-a-hang-up: The server ends when a client hangs up in mid-stream.",
    lambda call: call.path == "/generate",
)


class DiesAfterAnAbandonedPicture(Deadly):
    """As releases 2.3.3 and 2.4.3 do, whose requests share their state."""

    def __init__(self) -> None:
        super().__init__(of=self._is_next, of_hang_up=self._abandoned)
        self._left = False

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        values = Call("POST", "/generate", {}, body).fields
        if values.get("width") != 0:
            return honest(body)
        self.happened()
        return honest(json.dumps({**values, "width": DEFAULT_WIDTH}).encode())

    def _is_next(self, call: Call) -> bool:
        return self._left and call.path == "/generate"

    def _abandoned(self, call: Call) -> bool:
        self._left = self._left or call.fields.get("width") == 0
        return False


several(whole, SURVIVAL, "GEN-RNG-03")(
    "dies-after-an-abandoned-picture: A width of 0 is taken for the default one; after a client has hung up on such a"
    " stream the next generation ends the server.",
    DiesAfterAnAbandonedPicture,
)
