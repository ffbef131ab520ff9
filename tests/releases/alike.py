"""How alike the personalities answer: every recorded request is sent to the mock, byte for byte, and the answers are
compared. `python -m tests.releases [NAME...]` prints what differs."""

from __future__ import annotations

import base64
import json
import socket
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.faults.selection import Selection
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.config import ServerSettings
from tests.mockserver.live_server import PATIENCE, running
from tests.releases.answer import Answer, answer_of
from tests.releases.capture import ANSWERS, REQUESTS, key_of

EXPLAINED = Path(__file__).parent / "explained.toml"
PLAYED_BY: Mapping[tuple[str, str], str] = {
    ("local-dream-2.4.3", "recordings"): "2.4",
    ("local-dream-2.4.3", "odd-requests"): "2.4-mnn",
    ("local-dream-2.7", "recordings"): "2.7",
    ("local-dream-2.7", "odd-requests"): "2.7",
    ("local-dream-2.8.1", "odd-requests"): "2.8",
}
"""The personality that plays a release in the mode in which a folder was recorded."""
EVERY_SEED = "?"


@dataclass(frozen=True, slots=True)
class Case:
    """A request that a release was sent, and its answer."""

    release: str
    name: str
    request: bytes
    answer: Answer

    @property
    def personality(self) -> str:
        return PLAYED_BY[self.release, self.name.partition("/")[0]]


def cases() -> Iterator[Case]:
    """All that is recorded."""
    requests = json.loads(REQUESTS.read_text(encoding="utf-8"))
    for file in sorted(ANSWERS.glob("*.json")):
        for name, answer in json.loads(file.read_text(encoding="utf-8")).items():
            request = requests.get(key_of(name, file.stem), requests[name])
            yield Case(file.stem, name, base64.b64decode(request), answer)


def explained() -> dict[str, dict[str, str]]:
    """Why a release's answer to a request is not played as recorded, by release and name."""
    document = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
    return {release: dict(reasons) for release, reasons in document.items()}


def played(cases: list[Case]) -> Iterator[tuple[Case, Answer]]:
    """What the personalities answer."""
    for name in sorted({case.personality for case in cases}):
        personality = personalities()[name]
        alteration = personality.make()
        settings = ServerSettings(without=frozenset(personality.without))
        app = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0)), settings, Selection([alteration]))
        with running(app, http=alteration.http) as url:
            for case in cases:
                if case.personality == name:
                    yield case, answer_of(exchanged(url, case.request))


def exchanged(url: str, request: bytes) -> bytes:
    """Sends bytes, and reads until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(2**16):
            answer += piece
        return answer


def differences(case: Case, answer: Answer) -> list[str]:
    """One line for each part of the answer that is another; [] where they are alike."""
    recorded, found = _compared(case, case.answer), _compared(case, answer)
    return [
        f"{part}: recorded {_shown(recorded.get(part))}, played {_shown(found.get(part))}"
        for part in sorted(recorded.keys() | found.keys())
        if recorded.get(part) != found.get(part)
    ]


def _compared(case: Case, answer: Answer) -> Answer:
    """With any seed alike where the server picked it."""
    if "events" not in answer or b'"seed"' in case.request:
        return answer
    events: list[Any] = [
        [name, [[key, EVERY_SEED if key == "seed" else value] for key, value in values[0]]]
        for name, *values in answer["events"]
        if values
    ]
    return answer | {"events": events}


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 600 else f"{text[:600]}..."
