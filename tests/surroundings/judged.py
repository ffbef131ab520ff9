"""What the suite says of a server, in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.contract import Level, of_profile
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.http.preflight import reach
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan, suite
from local_dream_conformance.run.runner import Run

WRONG = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
OPEN = (Verdict.BLOCKED, Verdict.UNTESTED)


def judge(url: str, **given: str) -> tuple[dict[str, Judgement], dict[str, Exchange]]:
    """All judgements of a profile by id, and all exchanges by label. `given` are settings by their field's name."""
    loaded = suite.load()
    options: Mapping[str, str] = {name.replace("_", "-"): value for name, value in given.items()}
    settings = settings_sources.resolve(url, {"upscaler-path": "default", **options}, {}, {}, "")
    ids = [requirement.id for group in loaded.groups(settings.profile).values() for requirement in group]
    with tempfile.TemporaryDirectory() as text:
        folder = RunFolder(Path(text))
        reach(settings)
        folder.begin(url)
        run = Run(loaded, settings, plan.make(loaded, ids, settings), folder)
        return {id: run.judge(id) for id in ids}, folder.exchanges()


def wrong(judgements: Mapping[str, Judgement]) -> dict[str, str]:
    """What keeps a server from being conformant with no SHOULD broken, by id."""
    contract = suite.load().contract
    return {
        id: f"{one.verdict}: {one.reason or one.findings[0]}"
        for id, one in judgements.items()
        if one.verdict in WRONG
        or (
            one.verdict in OPEN
            and contract.by_id[id].level is Level.MUST
            and not of_profile(contract.by_id[id].profile)
        )
    }
