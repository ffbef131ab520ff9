"""What is expected of faults names faults that there are, requirements that there are, and options of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_dream_conformance.core.settings import OPTIONS
from local_dream_mockserver.faults.catalogue import Fault, entries
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.server.spec import load_spec
from tests.matrix.expectations import Expectation, expected_of, load_expectations
from tests.spec_ids import requirement_ids


def test_every_name_is_a_fault_a_quirk_or_a_release() -> None:
    assert load_expectations().keys() <= {*entries(), *personalities()}


def test_consequences_are_requirements_that_the_fault_does_not_break_by_its_own_account() -> None:
    known = requirement_ids(load_spec())
    for name, expected in load_expectations().items():
        if not expected.consequences:
            continue
        entry = entries()[name]
        assert isinstance(entry, Fault), name
        ids = (*entry.breaks, *expected.consequences)
        assert known.keys() >= set(ids), name
        assert len(set(ids)) == len(ids), name


def test_options_are_options_of_the_suite() -> None:
    known = {option.name for option in OPTIONS}
    for name, expected in load_expectations().items():
        assert expected.options.keys() <= known, name
        assert expected != Expectation(), name


def test_of_others_nothing_is_expected() -> None:
    assert expected_of("crlf") == Expectation()
    assert expected_of("held-back").pace > 0
    assert expected_of("health-401-to-strangers").options["header"] == ("Authorization: Bearer mock",)


def test_a_table_that_there_is_not(tmp_path: Path) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text("[paces]\nx = 1\n")
    with pytest.raises(ValueError, match="no such table: paces"):
        load_expectations(path)
