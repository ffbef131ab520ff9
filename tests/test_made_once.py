"""What is made once for all workers, with two workers."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

USERS = """
    from pathlib import Path
    import pytest
    from tests.made_once import made_once

    def make(folder):
        (folder.parent / "attempts").open("a").write("x")
        (folder / "half").touch()
        if {fails}:
            raise OSError("disk full")
        (folder / "whole").touch()

    @pytest.fixture(scope="session")
    def thing(request, tmp_path_factory):
        return made_once(request, tmp_path_factory, "thing", make)

    @pytest.mark.parametrize("number", range(4))
    def test_use(thing, number):
        assert [file.name for file in sorted(thing.iterdir())] == ["half", "whole"]
        (Path(__file__).parent / f"place{{number}}").write_text(str(thing))
"""


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("fails", [False, True])
def test_all_workers_get_the_same_folder(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, fails: bool, workers: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    test = pytester.makepyfile(USERS.format(fails=fails))
    quick = ("-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*quick, "-n", workers)
    if fails:
        result.assert_outcomes(errors=4)
        result.stdout.fnmatch_lines(["*OSError: disk full"])
        return
    result.assert_outcomes(passed=4)
    (place,) = {(test.parent / f"place{number}").read_text() for number in range(4)}
    assert (Path(place).parent / "attempts").read_text() == "x"
