"""Servers that leave open, drip or forget what they should end: a run on them ends soon, and says what is wrong and no
more."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_mockserver.faults.catalogue import entries
from tests.matrix.standing import standing
from tests.surroundings.judged import WRONG, judge

GAVE_UP = (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)
GENERATIONS = 8
PATIENT, UNHURRIED = "10", "60"
"""Seconds for what never comes, and where nothing stalls: so many that no load of the machine makes a right answer come
too late. What waits takes no time of the processor."""


class Expected(NamedTuple):
    """What is found of a server, for how many exchanges the suite gives up waiting at most, and how it is judged."""

    broken: set[str]
    most: int
    options: dict[str, str]


CORE = {"idle_timeout": PATIENT}
SMALL = {"idle_timeout": PATIENT, "size": "128x64"}
HARDENED = {"idle_timeout": UNHURRIED, "profile": "hardened"}
SERVERS: dict[str, Expected] = {
    "stream-left-open": Expected({"GEN-EVT-14"}, GENERATIONS, CORE),
    "refusal-never": Expected({"GEN-REQ-01", "UPS-REQ-01", "UPS-REQ-02"}, 5, CORE),
    "refusal-left-open": Expected({"SRV-04"}, 2, CORE),
    "health-left-open": Expected({"SRV-04"}, 2, CORE),
    "pings-alone": Expected({"GEN-EVT-12"}, 2, CORE),
    "no-answer": Expected({"GEN-SSE-01", "UPS-ANS-01"}, 4, CORE),
    "stall": Expected({"GEN-EVT-12", "UPS-ANS-02"}, 4, CORE),
    # These go on sending, a byte a second or for ever, or announce more than they send.
    "pings-after-complete": Expected({"GEN-EVT-14"}, GENERATIONS, SMALL),
    "refusal-drips": Expected({"SRV-04"}, 2, SMALL),
    "refusal-too-long-left-open": Expected({"SRV-04"}, 2, SMALL),
    "answer-drips": Expected({"GEN-EVT-12", "UPS-ANS-02"}, 4, SMALL),
    # Nothing stalls: events without names break the framing alone, and one that looks at no path reads no files.
    "event-line-missing": Expected({"GEN-SSE-06"}, 0, HARDENED),
    "upscaler-path-ignored": Expected({"UPS-REQ-09"}, 0, HARDENED),
}


class Seen(NamedTuple):
    """What a run came to."""

    judgements: Mapping[str, Judgement]
    exchanges: Mapping[str, Exchange]

    @property
    def broken(self) -> set[str]:
        """The ids of what was found."""
        return {id for id, judgement in self.judgements.items() if judgement.verdict in WRONG}

    @property
    def given_up(self) -> int:
        """Exchanges that the suite waited for in vain."""
        return sum(exchange.end in GAVE_UP for exchange in self.exchanges.values())


def run(name: str) -> Seen:
    with standing(entries()[name]) as (url, _):
        return Seen(*judge(url, **SERVERS[name].options))


def test_it_is_named_and_not_waited_for_again_and_again() -> None:
    with ThreadPoolExecutor(len(SERVERS)) as pool:  # all at the same time: they do little but wait
        seen = dict(zip(SERVERS, pool.map(run, SERVERS), strict=True))
    assert {name: one.broken for name, one in seen.items()} == {name: one.broken for name, one in SERVERS.items()}
    assert not {name: one.given_up for name, one in seen.items() if one.given_up > SERVERS[name].most}
    left = seen["refusal-never"].judgements["GEN-TYP-01"]
    assert left.verdict is Verdict.UNTESTED
    assert left.reason.startswith("not asked any more: 2 requests to POST /generate that it should refuse")
