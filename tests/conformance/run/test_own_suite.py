"""The example of a suite of one's own, through the hook `pytest_local_dream_suite`."""

from __future__ import annotations

import shutil

import pytest

from local_dream_mockserver import running_mock
from tests.conformance.judging import QUICK, ROOT

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("folder", ["", "own_suite"])
def test_it_judges_from_its_folder_and_by_name(pytester: pytest.Pytester, folder: str) -> None:
    shutil.copytree(ROOT / "examples" / "own_suite", pytester.path / folder, dirs_exist_ok=True)
    with running_mock() as mock:
        result = pytester.runpytest_subprocess(*QUICK, "--target", mock.url, *([folder] if folder else []))
    assert result.ret == 0, result.stderr.str()
    result.stdout.fnmatch_lines(
        ["local-dream: target http://*, contract 1.0", "plan: 2 requirements, 1 scenario, *", "CONFORMANT: *"]
    )


def test_a_broken_requirement_is_shown(pytester: pytest.Pytester) -> None:
    shutil.copytree(ROOT / "examples" / "own_suite", pytester.path, dirs_exist_ok=True)
    conftest = pytester.path / "conftest.py"
    conftest.write_text(conftest.read_text(encoding="utf-8").replace('"/health"', '"/absent"'), encoding="utf-8")
    with running_mock() as mock:
        result = pytester.runpytest_subprocess(*QUICK, "--target", mock.url)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["OWN-01 (MUST, core): *", "  got       status 404", "NOT CONFORMANT: *"])
