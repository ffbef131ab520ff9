"""What the start of the engine imports, and how memory is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local_dream_reference.machine import peak_memory

pytest.importorskip("torch")

LOADED = """
import json, sys
from local_dream_reference.engine import create
create({"model": sys.argv[1], "device": "cpu", "threads": "1", "runtime": "torch"})
import diffusers.utils.import_utils, transformers.utils
told = [diffusers.utils.import_utils.is_scipy_available(), transformers.utils.is_scipy_available()]
print(json.dumps([sorted({"scipy.stats", "scipy.optimize"} & set(sys.modules)), told]))
"""


def test_no_statistics_are_imported_and_scipy_is_known_of_afterwards(tiny_folder: Path) -> None:
    pytest.importorskip("scipy")
    done = subprocess.run([sys.executable, "-c", LOADED, str(tiny_folder)], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[[], [true, true]]"


def test_what_importing_raises_leaves_scipy_known() -> None:
    import transformers.utils

    from local_dream_reference.lean_imports import without_scipy

    before = transformers.utils.is_scipy_available()
    during: list[bool] = []

    def importing() -> None:
        with without_scipy():
            during.append(transformers.utils.is_scipy_available())
            raise ImportError("broken")

    with pytest.raises(ImportError, match="broken"):
        importing()
    assert during == [False]
    assert transformers.utils.is_scipy_available() is before


@pytest.mark.skipif(sys.platform != "linux", reason="told by /proc")
def test_the_memory_of_a_process_is_not_that_of_the_one_that_started_it() -> None:
    held = bytearray(b"x") * (300 * 2**20)
    assert peak_memory() > 300
    command = [sys.executable, "-c", "from local_dream_reference.machine import peak_memory; print(peak_memory())"]
    assert 1 < float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) < 200
    assert len(held) == 300 * 2**20
