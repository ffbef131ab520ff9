"""What the start of the engine imports, and how memory is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_dream_reference.machine import peak_memory

pytest.importorskip("torch")

from safetensors.torch import save_file

from tests.reference_engine.test_adapters import shared

LOADED = """
import json, sys
from local_dream_reference.engine import create
from local_dream_reference.trial_request import trial_request

UNUSED = {"scipy.stats", "scipy.optimize", "torch._dynamo", "torch.distributed.tensor", "sympy", "peft", "torch._refs"}
UNUSED |= {"diffusers.guiders", "diffusers.hooks.context_parallel", "diffusers.models.transformers.transformer_flux"}
UNUSED |= {"transformers.models.bloom"}
engine = create({"model": sys.argv[1], "device": "cpu", "threads": "1", "runtime": "torch"})
ready = sorted(UNUSED & set(sys.modules))
list(engine.generate(trial_request(64, 1, False), lambda: False))
import diffusers.utils.import_utils, importlib.metadata, transformers.utils
told = [
    diffusers.utils.import_utils.is_scipy_available(),
    transformers.utils.is_scipy_available(),
    transformers.utils.is_torch_distributed_available(),
    "torch" in importlib.metadata.packages_distributions(),
]
drawn = sorted(UNUSED & set(sys.modules))
import torch
from transformers import BloomConfig
doubled = torch.compile(lambda number: number * 2, backend="eager")(torch.ones(1)).item()
print(json.dumps([ready, drawn, told, doubled, torch._dynamo is sys.modules["torch._dynamo"]]))
"""


@pytest.mark.parametrize("order", ["0", "1", "2", "3"])
def test_what_no_picture_needs_is_not_imported_and_is_there_afterwards(tiny_folder: Path, order: str) -> None:
    """The order of sets is that in which diffusers loads the parts of a model."""
    pytest.importorskip("scipy")
    command = [sys.executable, "-c", LOADED, str(tiny_folder)]
    environment = os.environ | {"PYTHONHASHSEED": order}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert json.loads(done.stdout.splitlines()[-1]) == [[], [], [True] * 4, 2.0, True]


def test_the_compiler_comes_with_the_first_name_that_is_no_mark() -> None:
    code = """
import sys, torch
from local_dream_reference.lean_imports import without_compiler
with without_compiler():
    marked = torch.compiler.disable(len)
    print(marked is len, type(sys.modules["torch._dynamo"]).__name__)
    print(torch._dynamo.is_compiling(), sys.modules["torch._dynamo"].__file__.endswith("__init__.py"))
with without_compiler():
    print(torch._dynamo is sys.modules["torch._dynamo"], torch._dynamo.__spec__.name)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["True _Marks", "False True", "True torch._dynamo"]


def test_a_network_without_memory_gets_no_values_and_one_with_memory_does() -> None:
    import torch

    from local_dream_reference.lean_imports import without_initial_values

    torch.manual_seed(0)
    expected = torch.nn.Embedding(3, 2).weight
    torch.manual_seed(0)
    with without_initial_values():
        assert torch.equal(torch.nn.Embedding(3, 2).weight, expected)
        assert torch.arange(2, 8, 3).tolist() == [2, 5]
        with torch.device("meta"):
            assert torch.nn.Embedding(3, 2).weight.is_meta
            assert torch.arange(3).tolist() == [0, 1, 2]
            assert torch.arange(3, dtype=torch.float32).is_meta
    with torch.device("meta"):
        assert torch.arange(3).is_meta


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


LORA = """
import dataclasses, hashlib, json, sys
if sys.argv[3] == "whole":
    import peft
    from diffusers import StableDiffusionPipeline
from local_dream_reference.engine import create
from local_dream_reference.trial_request import trial_request

options = {"model": sys.argv[1], "device": "cpu", "threads": "1", "runtime": "torch"}
engine = create(options | ({} if sys.argv[2] == "-" else {"adapters": sys.argv[2]}))
there = "peft.tuners.lora" in sys.modules
for prompt in ("a house", "a house<lora:ink>", "a house"):
    made = list(engine.generate(dataclasses.replace(trial_request(64, 2, False), prompt=prompt), lambda: False))[-1]
    print(hashlib.sha256(made.rgb.tobytes()).hexdigest())
print(there)
"""


@pytest.mark.parametrize("adapters", [False, True])
def test_the_library_of_loras_comes_with_them_alone_and_makes_the_same_pictures(
    tiny_folder: Path, tmp_path: Path, adapters: bool
) -> None:
    if adapters:
        save_file(shared(), tmp_path / "ink.safetensors")
    of = str(tmp_path) if adapters else "-"
    plain, whole = (
        subprocess.run(
            [sys.executable, "-c", LORA, str(tiny_folder), of, how], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        for how in ("lean", "whole")
    )
    assert plain[:3] == whole[:3]
    assert plain[3] == str(adapters)
    assert plain[0] == plain[2] != plain[1]


LATE = """
import dataclasses, json, sys
import numpy as np
from local_dream_reference.engine import create
from local_dream_reference.picture_engine import SCHEDULERS
from local_dream_reference.trial_request import trial_request

engine = create({"model": sys.argv[1], "device": "cpu", "threads": "1", "runtime": "torch"})
plain, there = trial_request(64, 1, False), set(sys.modules)
picture = np.zeros((64, 64, 3), np.uint8)
asked = [{"scheduler": name} for name in SCHEDULERS]
asked += [{"weights": (("a ", 1.0), ("red", 1.3))}, {"image": picture}, {"image": picture, "mask": picture[..., 0]}]
for fields in asked:
    list(engine.generate(dataclasses.replace(plain, **fields), lambda: False))
libraries = {"compel", "diffusers", "peft", "scipy", "torch", "transformers"}
print(json.dumps(sorted(name for name in set(sys.modules) - there if name.partition(".")[0] in libraries)))
"""


def test_no_kind_of_request_imports_a_library_when_it_comes_first(tiny_folder: Path) -> None:
    """The first weighted prompt took a second, and a client thought that one who had hung up before still ran."""
    done = subprocess.run([sys.executable, "-c", LATE, str(tiny_folder)], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
