"""What stands in for modules that the start does not need, and what becomes of it once somebody needs them."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local_dream_reference.stand_ins import StandIn, altered, standing_in

FILES = {
    "__init__": "from {0}.inner import VALUE\nfrom {0}.other import WEIGHT\nSIZE = 3\n",
    "inner": "VALUE = 1\n",
    "other": "import builtins\nWEIGHT = 2\n",
    "broken": "raise ImportError('no such library')\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A package of its own for each test, whose ``__init__`` imports all that is in it."""
    name = f"standing_{request.node.name.partition('[')[0]}"
    folder = tmp_path / name
    folder.mkdir()
    for file, text in FILES.items():
        (folder / f"{file}.py").write_text(text.format(name), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_a_package_is_imported_with_the_first_name_that_is_asked_for(package: str) -> None:
    with standing_in({package}):
        inner = importlib.import_module(f"{package}.inner")
        stand_in = sys.modules[package]
        assert isinstance(stand_in, StandIn)
        assert inner.VALUE == 1
        assert f"{package}.other" not in sys.modules
    with pytest.raises(AttributeError):
        stand_in.__wrapped__  # noqa: B018  # whoever looks for marks of wrappers does not want the module
    assert sys.modules[package] is stand_in
    assert stand_in.SIZE == 3
    real = sys.modules[package]
    assert not isinstance(real, StandIn)
    assert real.inner is inner
    assert stand_in.WEIGHT == 2
    with standing_in({package}):
        assert importlib.import_module(package) is real


def test_a_name_that_is_nowhere_is_an_attribute_error(package: str) -> None:
    with standing_in({package}):
        stand_in = importlib.import_module(package)
        with pytest.raises(AttributeError, match="nowhere"):
            _ = stand_in.nowhere


def test_what_importing_raises_is_raised_where_the_name_is_asked_for(package: str) -> None:
    with standing_in({f"{package}.broken"}):
        broken = importlib.import_module(f"{package}.broken")
    with pytest.raises(ImportError, match="no such library"):
        _ = broken.VALUE


def test_two_threads_get_one_module(package: str) -> None:
    with standing_in({package}):
        stand_in = importlib.import_module(package)
    start, found = threading.Barrier(2), []

    def ask() -> None:
        start.wait()
        found.append(stand_in.real())

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [sys.modules[package]] * 2


def test_a_module_is_altered_before_anybody_has_it(package: str) -> None:
    with altered(f"{package}.inner", lambda module: vars(module).update(VALUE=7)):
        assert importlib.import_module(package).VALUE == 7
    assert all(type(finder).__module__ != StandIn.__module__ for finder in sys.meta_path)


def told(code: str, *arguments: str) -> list[object]:
    """What a process prints that has imported nothing before."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines()]


NAMES = """
import hashlib, json, sys
from contextlib import nullcontext
from local_dream_reference.lean_transformers import without_all_models

with without_all_models() if sys.argv[1] == "few" else nullcontext():
    import transformers
    import transformers.models
print(json.dumps("BertConfig" in transformers._class_to_module))
from transformers import CLIPTextConfig, initialization
print(json.dumps("BertConfig" in transformers._class_to_module))
print(json.dumps(hasattr(transformers, "no_such_name")))
print(json.dumps(transformers.BertConfig.__module__))
print(json.dumps(transformers.models.bert.__name__))
for module in (transformers, transformers.models):
    for names in (module.__all__, dir(module), module._class_to_module, module._object_missing_backend):
        print(json.dumps(hashlib.sha256(" ".join(sorted(set(names) - {"_made_of"})).encode()).hexdigest()))
"""


def test_all_models_are_known_once_one_is_asked_for_that_was_not_read() -> None:
    pytest.importorskip("transformers")
    few, whole = told(NAMES, "few"), told(NAMES, "all")
    assert (few[:2], whole[:2]) == ([False, False], [True, True])
    assert few[2:] == whole[2:]
    assert few[2:4] == [False, "transformers.models.bert.configuration_bert"]


SHAPES = """
import json, sys
from local_dream_reference.lean_torch import lean_torch

with lean_torch():
    import torch
print(json.dumps("torch._refs" in sys.modules))
empty = lambda *shape: torch.empty(*shape, device="meta")
print(json.dumps([list((empty(3, 2) @ empty(2, 4)).shape), "torch._refs" in sys.modules]))
drawn = torch.rand(2, generator=torch.Generator().manual_seed(1)).tolist()
print(json.dumps(drawn == torch.rand(2, generator=torch.manual_seed(1)).tolist()))
shape = torch.nonzero_static(empty(3), size=2).shape
print(json.dumps([list(shape), "torch._refs" in sys.modules, sys.modules["torch._meta_registrations"].__name__]))
print(json.dumps(torch._meta_registrations is sys.modules["torch._meta_registrations"]))
known = torch._C._dispatch_has_kernel_for_dispatch_key
print(json.dumps(sum(known(name, "Meta") for name in torch._C._dispatch_get_all_op_names())))
print(json.dumps(torch.compile(lambda number: number * 2, backend="eager")(torch.ones(1)).item()))
"""


def test_shapes_of_tensors_without_values_are_known_when_they_are_needed() -> None:
    pytest.importorskip("torch")
    counted = (
        "import torch; print(len([name for name in torch._C._dispatch_get_all_op_names()"
        " if torch._C._dispatch_has_kernel_for_dispatch_key(name, 'Meta')]))"
    )
    *found, known, doubled = told(SHAPES)
    assert found == [False, [[3, 4], False], True, [[2, 1], True, "torch._meta_registrations"], True]
    assert [known] == told(counted)
    assert doubled == 2.0
