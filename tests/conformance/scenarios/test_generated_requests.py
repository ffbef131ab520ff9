from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request, Transcript
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import SCENARIOS, generated_requests, requests
from local_dream_conformance.scenarios.generated_requests import (
    ACCEPTED,
    EACH,
    EACH_SIZE,
    SHRINKING,
    Way,
    explore,
    size_problem,
    wrongly_typed,
)
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.conformance.scenarios.refusing_server import Asked, RefusingServer, refusing_server
from tests.conformance.transcripts import answer, refusal
from tests.mockserver.live_server import running

PLAIN = {"prompt": "a red house", "seed": 7, "steps": 4, "width": 128, "height": 64}
GENERATE = generated_requests.bodies(PLAIN, requests.generate)
UPSCALE = generated_requests.upscales(lambda width, height, body: requests.upscale(width, height, "p", body))
REQUESTS = EACH * len(GENERATE)


def _nothing_before(scenario: str) -> Transcript:
    raise KeyError(scenario)


def test_what_is_wrongly_typed() -> None:
    assert wrongly_typed({**PLAIN, "cfg": 7, "image": None, "unknown": []}) == []
    assert wrongly_typed({"prompt": None}) == ["prompt"]
    assert wrongly_typed({"steps": 2.0}) == []
    assert wrongly_typed({"steps": 2.5, "use_opencl": 1, "seed": True, "mask": {}}) == [
        "steps",
        "seed",
        "mask",
        "use_opencl",
    ]


def test_which_sizes_must_be_refused() -> None:
    def problem(width: object, height: object, length: int) -> str:
        return size_problem(requests.upscale(width, height, "p", bytes(length)))

    assert problem(4, 3, 36) == ""
    assert problem("+4", "03", 36) == ""
    assert "4 * 3 * 3 is 36, and the body has 35 bytes" in problem(4, 3, 35)
    for word in ("", "4.0", "4a", "0x4", "four", "4 "):
        assert "X-Image-Width" in problem(word, 3, 36)
        assert "X-Image-Height" in problem(4, word, 36)


def drawn(ways: Sequence[Way], each: int = 40) -> list[Request]:
    """Requests of every way, and what is tried in place of each to make it smaller."""
    found = [way.draw(Random(number)) for way in ways for number in range(each)]
    return found + [one for way in ways for number in range(each) for one in way.smaller(way.draw(Random(number)))]


@pytest.mark.parametrize("field", documented())
def test_every_generated_body_must_be_refused_and_would_be_small_if_it_were_not(field: str) -> None:
    for request in drawn([GENERATE[list(documented()).index(field)]]):
        is_small_and_wrong(request)


def is_small_and_wrong(request: Request) -> None:
    body = json.loads(request.body)
    wrong = wrongly_typed(body)
    assert len(wrong) == 1
    for field, value in PLAIN.items():
        assert field in wrong or body[field] == value
    assert {"image", "mask", "show_diffusion_stride"} & body.keys() <= set(wrong)


def test_every_generated_size_must_be_refused_and_is_not_negative() -> None:
    for request in drawn(UPSCALE):
        assert size_problem(request)
        for name in ("X-Image-Width", "X-Image-Height"):
            text = request.header(name) or ""
            assert text == text.strip()
            if begins := re.match(r"[+-]?[0-9]+", text):  # a reader that goes as far as it can gets this
                assert (int(begins[0]) > 0) if begins[0] == text else (0 <= int(begins[0]) <= 1024)


def ask(answers: Callable[[Request], Exchange]) -> tuple[list[Exchange], Exchange | None]:
    return explore(GENERATE, EACH, lambda number, sent: answers(sent), 1)


def body(exchange: Exchange) -> dict[str, Any]:
    sent: dict[str, Any] = exchange.request.json
    return sent


def refusing(sent: Request) -> Exchange:
    return refusal("x", to=sent)


def test_a_server_that_refuses_everything_is_asked_so_many_times_and_not_more() -> None:
    exchanges, smallest = ask(refusing)
    assert smallest is None
    assert REQUESTS // 2 < len(exchanges) <= REQUESTS
    assert len({exchange.request for exchange in exchanges}) == len(exchanges)


def test_every_documented_field_has_its_turn() -> None:
    exchanges, _ = ask(refusing)
    wrong = [field for exchange in exchanges for field in wrongly_typed(body(exchange))]
    assert set(wrong) == set(documented())
    assert max(wrong.count(field) for field in wrong) == EACH


def test_the_same_seed_asks_the_same() -> None:
    first, second = ask(refusing)[0], ask(refusing)[0]
    assert [exchange.request for exchange in first] == [exchange.request for exchange in second]
    other, _ = explore(GENERATE, EACH, lambda number, sent: refusing(sent), 2)
    assert [exchange.request for exchange in first] != [exchange.request for exchange in other]


def careless(status: int) -> Callable[[Request], Exchange]:
    """A server that does not look at the type of cfg."""

    def answers(sent: Request) -> Exchange:
        return answer("x", status, to=sent) if wrongly_typed(sent.json) == ["cfg"] else refusing(sent)

    return answers


def test_a_finding_is_made_smaller_within_bounds() -> None:
    exchanges, smallest = ask(careless(500))
    assert smallest is not None
    assert smallest.status == 500
    assert wrongly_typed(body(smallest)) == ["cfg"]
    assert body(smallest).keys() == {*PLAIN, "cfg"}
    first = next(index for index, exchange in enumerate(exchanges) if exchange.status == 500)
    assert len(exchanges) <= first + 1 + SHRINKING


def test_a_server_that_accepts_them_is_soon_left_alone() -> None:
    exchanges, smallest = ask(careless(200))
    assert smallest is not None
    assert sum(exchange.status == 200 for exchange in exchanges) <= ACCEPTED


@pytest.mark.parametrize("end", [End.IDLE_TIMEOUT, End.UNREACHABLE])
def test_a_server_that_is_silent_is_soon_left_alone(end: End) -> None:
    exchanges, smallest = ask(lambda sent: answer("x", None, to=sent, end=end))
    assert 1 <= len(exchanges) <= generated_requests.SILENT
    assert (smallest is None) == (end is End.UNREACHABLE)


def test_a_server_without_the_operation_is_asked_once() -> None:
    exchanges, _ = ask(lambda sent: refusal("x", 404, to=sent))
    assert len(exchanges) == 1


def test_a_finding_is_not_exchanged_for_another_fault() -> None:
    """The first body with a wrong seed is answered with 500, and all smaller ones with 422."""
    found: list[Request] = []

    def answers(sent: Request) -> Exchange:
        if wrongly_typed(sent.json) != ["seed"]:
            return refusing(sent)
        found.append(sent)
        return refusal("x", 500 if len(found) == 1 else 422, to=sent)

    exchanges, smallest = ask(answers)
    assert smallest is not None
    assert smallest.request == found[0]
    assert 422 in {exchange.status for exchange in exchanges}


def test_the_honest_server_refuses_them_all_and_works_for_none() -> None:
    with running(create_app(SyntheticEngine(), ServerSettings())) as url:
        target = Target(Settings(url=url, upscaler_path="default"), _nothing_before, cost_of=spent_on)
        exchanges = list(SCENARIOS["generated"].run(target))
    assert {exchange.status for exchange in exchanges[:-1]} == {400}
    assert exchanges[-1].label == "generated/health"
    assert exchanges[-1].status == 200
    labels = [exchange.label for exchange in exchanges]
    assert "generated/generate/000" in labels
    assert "generated/upscale/000" in labels
    assert len(labels) <= REQUESTS + EACH_SIZE * len(UPSCALE) + 1
    assert (target.spent.generations, target.spent.upscales) == (0, 0)


def test_a_finding_over_the_wire_carries_its_own_label() -> None:
    def looks_at_all_but_cfg(asked: Asked) -> int | None:
        return 400 if asked.path == "/upscale" or set(wrongly_typed(asked.fields)) - {"cfg"} else None

    with refusing_server(RefusingServer(refuses=looks_at_all_but_cfg)) as state:
        target = Target(Settings(url=state.url, upscaler_path="p"), _nothing_before, cost_of=spent_on)
        exchanges = {exchange.label: exchange for exchange in SCENARIOS["generated"].run(target)}
    shrunk = exchanges["generated/generate/shrunk"]
    assert shrunk.status == 200
    assert wrongly_typed(body(shrunk)) == ["cfg"]
    assert target.spent.generations <= ACCEPTED
    assert "generated/upscale/shrunk" not in exchanges
