"""Folders of runs: what runs keeps its folder, however many others begin and end meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from local_dream_conformance.run import place


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_has_only_been_made_stays_however_many_are_made_after_it(own: Path) -> None:
    made = [place.make() for _ in range(2 * place.KEPT)]
    assert all(one.path.is_dir() for one in made)
    assert all(one.path.is_relative_to(own) for one in made)


def test_of_those_that_have_ended_the_last_few_stay() -> None:
    made = [place.make() for _ in range(2 * place.KEPT)]
    for one in made[1:]:
        one.running.release()
    place.make()
    assert made[0].path.exists(), "it runs"
    assert sum(one.path.exists() for one in made[1:]) == place.KEPT


def test_what_another_has_removed_is_removed() -> None:
    made = place.make()
    made.running.release()
    shutil.rmtree(made.path)
    made.remove()
