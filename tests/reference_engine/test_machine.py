"""How many cores and threads the engine uses."""

from __future__ import annotations

import os

import pytest

from local_dream_reference.machine import usable_cores


def test_no_system_has_to_tell_which_cores_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == (os.cpu_count() or 1)


@pytest.mark.parametrize("cores", [1, 64])
def test_machines_of_one_core_and_of_many(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert usable_cores() == cores


def test_whoever_shares_out_a_machine_says_how_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert usable_cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "100000")
    most = usable_cores()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert usable_cores() == most
