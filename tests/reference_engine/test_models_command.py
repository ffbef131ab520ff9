"""``local-dream models``, and models by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from local_dream_mockserver.commands import serve
from local_dream_reference import found
from local_dream_reference.engine import create
from local_dream_reference.errors import UnusableModel
from local_dream_reference.models_command import models
from local_dream_reference.shipped import SHIPPED
from local_dream_reference.source import resolved
from tests.reference_engine.test_hub import put_into_cache
from tests.reference_engine.tiny_model import save_folder, save_single_file


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("models")
    save_folder(place / "Anime" / "ink", unet_channels=9)
    save_single_file(place / "Dream.SafeTensors")
    (place / "old.ckpt").write_bytes(b"x" * 2_000_000)
    (place / "notes.txt").write_text("nothing")
    put_into_cache(tiny_folder, place / "hub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(place / "hub"))
        patch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(place / "hub"), raising=False)
        yield place


def listed(*arguments: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(models, [*arguments, "--json"], catch_exceptions=False)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_everything_that_is_found(place: Path) -> None:
    rows = [(row["name"], row["kind"], row["source"]) for row in listed(str(place))]
    assert rows == [
        *([("default", "Stable Diffusion 1.x or 2.x", "shipped")] if SHIPPED.is_dir() else []),
        ("Anime/ink", "Stable Diffusion 1.x or 2.x, inpainting", "folder"),
        ("Dream", "Stable Diffusion 1.x or 2.x", "file"),
        ("hub/models--someone--tiny/snapshots/0123abc", "Stable Diffusion 1.x or 2.x", "folder"),
        ("old", "", "file"),
        ("someone/tiny", "Stable Diffusion 1.x or 2.x", "hub"),
    ]
    assert {row["name"]: row["bytes"] for row in listed(str(place))}["old"] == 2_000_000


def test_the_table_has_what_is_served_and_the_rest_has_its_reason(place: Path) -> None:
    done = CliRunner().invoke(models, [str(place)], catch_exceptions=False)
    lines = {line.split("  ")[0]: " ".join(line.split()) for line in done.stdout.splitlines()}
    assert lines["Dream"] == "Dream Stable Diffusion 1.x or 2.x 4 MB file"
    assert "old" not in lines
    [reason] = done.stderr.splitlines()
    assert reason.startswith("not served: model 'old': only .safetensors files are loaded")


def test_names_come_from_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(found.PLACES, os.pathsep.join([str(place / "Anime"), str(place / "missing")]))
    assert {"ink", "someone/tiny"} <= set(found.names())
    assert resolved("ink") == str(place / "Anime" / "ink")
    assert resolved("IN") == str(place / "Anime" / "ink")
    assert resolved("tiny") == "someone/tiny"
    assert resolved("default") == "default"
    with pytest.raises(UnusableModel, match="none of that name is found here; `local-dream models` lists"):
        resolved("zebra")
    monkeypatch.setenv(found.PLACES, str(place))
    assert resolved("Dream") == str(place / "Dream.SafeTensors")
    with pytest.raises(UnusableModel, match=r"old\.ckpt': only \.safetensors files"):
        create({"model": "old"})


def test_several_of_one_beginning_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ink-1", "ink-2"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"")
    monkeypatch.setenv(found.PLACES, str(tmp_path))
    with pytest.raises(UnusableModel, match="several are called so: ink-1, ink-2"):
        resolved("ink")
    assert resolved("ink-2") == str(tmp_path / "ink-2.safetensors")


def test_the_shell_is_offered_names_and_paths(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(found.PLACES, str(place / "Anime"))
    option = next(each for each in serve.serve_command.params if each.name == "model")
    offered = serve.complete_model(click.Context(serve.serve_command), option, "in")
    assert [(item.value, item.type) for item in offered] == [("ink", "plain"), ("in", "file")]


def test_torch_is_not_loaded_to_list(place: Path) -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom local_dream_reference.models_command import models\n"
        "print(CliRunner().invoke(models, sys.argv[1:]).stdout, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(place)], capture_output=True, text=True, check=True)
    assert "Dream" in done.stdout
    assert done.stdout.strip().endswith("False")
