"""Events as bytes."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from local_dream_mockserver.server.events import Complete, Event, Failed, Progress
from local_dream_mockserver.server.spec import component
from local_dream_mockserver.server.sse import encode

EVENTS: dict[str, Event] = {
    "Progress": Progress(step=5, total_steps=20),
    "Progress with preview": Progress(step=1, total_steps=1, image="AAAA"),
    "Complete": Complete(image="AAAA", seed=123, width=1, height=1, generation_time_ms=1500, first_step_time_ms=80),
    "Error": Failed(message='a "reason"\nof two lines\u2028\r and é 😀'),
}


def test_the_bytes_of_an_event() -> None:
    assert encode(EVENTS["Progress"]) == b'event: progress\ndata: {"type":"progress","step":5,"total_steps":20}\n\n'


@pytest.mark.parametrize("name", EVENTS)
def test_two_lines_and_the_payload_of_the_contract(name: str) -> None:
    event = EVENTS[name]
    head, data, end, rest = encode(event).decode("ascii").split("\n")
    assert head == f"event: {event.type}"
    assert (end, rest) == ("", "")
    assert data.startswith("data: {")
    payload = json.loads(data.removeprefix("data: "))
    assert payload["type"] == event.type
    assert payload == event.payload()
    Draft202012Validator(component(name.split()[0])).validate(payload)
