"""Each answer of an honest run in turn never comes, or is cut: whatever is then said to be broken is said of that
answer, and says how it ended. Nothing is not applicable, and no extension is absent, because of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import pytest

from local_dream_conformance.checks.check import Check
from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.exchange import End, Exchange, Read
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.evidence.selectors import ENDINGS
from local_dream_conformance.http.preflight import reach
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan
from local_dream_conformance.run.evaluator import Evaluator
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.suite import Suite, load
from local_dream_mockserver.server.extensions.catalogue import NAMES
from tests.matrix.standing import controlled
from tests.matrix.trial import GIVEN, SCHEDULERS

SUITE = load()
SAID = ("no answer", "open still", *(ENDINGS[end] for end in (End.TRUNCATED, End.RESET, End.IDLE_TIMEOUT)))
"""One of these is in every sentence about an answer that did not come, or not to its end."""


def never(end: End) -> Callable[[Exchange], Exchange]:
    """No answer at all."""
    return lambda exchange: replace(
        exchange, status=None, reason="", http_version="", headers=(), head_at=None, reads=(), end=end, detail=""
    )


def halved(end: End) -> Callable[[Exchange], Exchange]:
    """The head, and half of the body; no answer at all where there was none."""

    def cut(exchange: Exchange) -> Exchange:
        left, kept = exchange.size // 2, []
        for read in exchange.reads:
            kept.append(Read(read.at, read.data[:left]))
            left -= len(kept[-1].data)
            if not left:
                break
        return replace(exchange, reads=tuple(kept), end=end, detail="")

    return lambda exchange: cut(exchange) if exchange.size else never(end)(exchange)


WITHOUT = {end: never(end) for end in (End.IDLE_TIMEOUT, End.RESET, End.UNREACHABLE)}
WITHIN = {end: halved(end) for end in (End.TRUNCATED, End.IDLE_TIMEOUT, End.RESET)}


@dataclass(frozen=True)
class Changed:
    """The evidence of a run with one exchange in place of another."""

    run: Run
    seen: dict[tuple[str, object], Mapping[str, Exchange]]
    exchange: Exchange

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        key = (check.id, check.function)
        if key not in self.seen:
            self.seen[key] = self.run.exchanges(check)
        label = self.exchange.label
        return {**self.seen[key], label: self.exchange} if label in self.seen[key] else self.seen[key]

    def left_out(self, check: Check) -> Mapping[str, str]:
        return self.run.left_out(check)


@dataclass(frozen=True)
class Honest:
    """A run of everything against a server without a fault."""

    run: Run
    judged: Mapping[str, Judgement]
    exchanges: tuple[Exchange, ...]
    seen: dict[tuple[str, object], Mapping[str, Exchange]]

    def differing(self, exchange: Exchange) -> Iterator[Judgement]:
        """What is judged otherwise, of what looks at an exchange, when it is as given."""
        evidence = Changed(self.run, self.seen, exchange)
        again = Evaluator(SUITE.contract, SUITE.checks, evidence, self.run.settings)
        for id, before in self.judged.items():
            if exchange.label in before.evidence and (now := again.judge(id)).verdict is not before.verdict:
                yield now


@pytest.fixture(scope="module")
def honest() -> Iterator[Honest]:
    with controlled(None) as (url, _, control), tempfile.TemporaryDirectory() as folder:
        declared = tuple(SCHEDULERS if name == "schedulers" else name for name in NAMES)
        given = {**GIVEN, "profile": "all", "extension": declared, "control-url": str(control)}
        yield made(SUITE, RunFolder(Path(folder)), url, given)


def made(suite: Suite, folder: RunFolder, url: str, given: Mapping[str, str | bool | tuple[str, ...]]) -> Honest:
    settings = settings_sources.resolve(url, given, {}, {}, "")
    ids = [requirement.id for group in suite.groups("all").values() for requirement in group]
    reach(settings)
    folder.begin(url)
    run = Run(suite, settings, plan.make(suite, ids, settings), folder)
    judged = {id: run.judge(id) for id in ids}
    assert not [each for each in judged.values() if each.findings]
    exchanges = tuple(exchange for transcript in folder.transcripts() for exchange in transcript.exchanges)
    return Honest(run, judged, exchanges, {})


@pytest.mark.parametrize("kinds", [WITHOUT, WITHIN], ids=["never came", "was cut"])
def test_what_was_not_seen_is_not_judged(honest: Honest, kinds: dict[End, Callable[[Exchange], Exchange]]) -> None:
    """The ways take turns: in a family of requests each comes."""
    wrong, broken = [], 0
    for exchange, end in zip(honest.exchanges, cycle(kinds), strict=False):
        if exchange.end is End.HUNG_UP:
            continue
        for judgement in honest.differing(kinds[end](exchange)):
            where = f"{judgement.id}, when {exchange.label} ends with {end}: {judgement.verdict} {judgement.reason}"
            if judgement.verdict in (Verdict.ERROR, Verdict.NOT_APPLICABLE):
                wrong.append(where)
            broken += bool(judgement.findings)
            wrong += [
                f"{where}{finding}"
                for finding in judgement.findings
                if finding.exchange != exchange.label or not any(words in finding.got for words in SAID)
            ]
    assert not wrong, "\n".join(wrong)
    assert broken > 100, "that the answers themselves are missing is said"
