"""What the suite says of the extensions of a server on paper."""

from __future__ import annotations

from dataclasses import replace

from local_dream_conformance.checks.check import REGISTRY
from local_dream_conformance.core import contract
from local_dream_conformance.core.contract import of_profile
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.extension import CONTROL, Declared
from local_dream_conformance.core.extension import NAMES as ALL_NAMES
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from local_dream_conformance.run.evaluator import Evaluator
from tests.conformance.extended_server import ExtendedServer, ask
from tests.conformance.transcripts import SETTINGS, Found, generation

suite.load()
CONTRACT = contract.load()
SCENARIOS = (
    "keep-alive",
    "base",
    "negative",
    "upscale-refuse",
    "cors",
    "cors-upscale",
    "tokenize",
    "formats",
    "size",
    "aspect-ratio",
    "prompt-weights",
    "ultrafix",
    "reference-images",
    "schedulers",
)
DECLARED = replace(
    SETTINGS,
    upscaler_path="up.bin",
    extensions=(
        *(Declared("schedulers", ("euler", "lcm", "eulera")), Declared("prompt_weights")),
        *(Declared("ultrafix"), Declared("reference_images")),
    ),
)
KNOWN = replace(SETTINGS, upscaler_path="up.bin")
NAMES = tuple(name for name in ALL_NAMES if name != CONTROL)
"""Those that are no server of their own: `run/test_control_run.py` has that."""
EXTENSIONS = [r for r in CONTRACT.requirements if of_profile(r.profile) in NAMES]


def judged(server: ExtendedServer, settings: Settings = DECLARED, *more: Exchange) -> dict[str, Judgement]:
    """What the suite says of every requirement of an extension."""
    exchanges = [*ask(server, settings, *SCENARIOS), *overlapping(), *more]
    judge = Evaluator(CONTRACT, REGISTRY, Found({e.label: e for e in exchanges}.values()), settings)
    return {r.id: judge.judge(r.id) for r in EXTENSIONS}


def overlapping() -> list[Exchange]:
    first = generation("overlap/first", started=0.0, gap=0.5)
    return [first, generation("overlap/second", started=0.2, gap=0.5)]


def having(judgements: dict[str, Judgement], verdict: Verdict) -> set[str]:
    return {id for id, judgement in judgements.items() if judgement.verdict is verdict}


def of(*names: str) -> set[str]:
    return {r.id for r in EXTENSIONS if of_profile(r.profile) in names}
