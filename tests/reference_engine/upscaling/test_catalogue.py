"""Names lead to models of the folder and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from local_dream_reference.upscaling.catalogue import Catalogue
from local_dream_reference.upscaling.errors import UnknownUpscaler, UnusableWeights
from tests.reference_engine.upscaling.weights import compact_weights, rrdb_weights, write


def test_the_shipped_model_comes_first_and_has_three_names(shipped: Path, folder: Path) -> None:
    write(folder / "aaa.pth", rrdb_weights())
    catalogue = Catalogue(folder, shipped=shipped)
    first = catalogue.models()[0]
    assert (first.name, first.file, first.scale, first.architecture) == (
        "tiny-x4",
        "tiny-x4.safetensors",
        4,
        "compact 8x2",
    )
    assert {catalogue.resolve(name) for name in ("default", "tiny-x4", "tiny-x4.safetensors")} == {"tiny-x4"}


def test_models_of_the_folder_go_by_relative_name_and_file(shipped: Path, folder: Path) -> None:
    write(folder / "anime" / "six blocks.pth", rrdb_weights())
    catalogue = Catalogue(folder, shipped=shipped)
    assert [model.name for model in catalogue.models()] == ["tiny-x4", "anime/six blocks"]
    assert catalogue.resolve("anime/six blocks") == "anime/six blocks"
    model, path, _ = catalogue.locate("anime/six blocks.pth")
    assert model.architecture == "rrdb 8x1"
    assert path == folder / "anime" / "six blocks.pth"


def test_two_files_that_differ_in_suffix_only_have_different_names(shipped: Path, folder: Path) -> None:
    write(folder / "a.pth", compact_weights())
    write(folder / "a.safetensors", rrdb_weights())
    catalogue = Catalogue(folder, shipped=shipped)
    assert [model.name for model in catalogue.models()] == ["tiny-x4", "a", "a.safetensors"]
    assert catalogue.locate("a")[0].file == "a.pth"
    assert catalogue.locate("a.safetensors")[0].file == "a.safetensors"


def test_a_file_cannot_take_the_place_of_the_default(shipped: Path, folder: Path) -> None:
    write(folder / "default.pth", rrdb_weights())
    write(folder / "tiny-x4.safetensors", rrdb_weights())
    catalogue = Catalogue(folder, shipped=shipped)
    assert catalogue.resolve("default") == "tiny-x4"
    assert catalogue.locate("tiny-x4.safetensors")[0].architecture == "compact 8x2"
    assert catalogue.resolve("default.pth") == "default.pth"


@pytest.mark.parametrize(
    "asked",
    [
        "",
        ".",
        "..",
        "../outside.pth",
        "sub/../../outside.pth",
        "./inside.pth",
        "sub//../inside.pth",
        "inside.pth/",
        "inside.pth\0",
        "INSIDE.PTH",
        "..\\outside.pth",
        "%2e%2e/outside.pth",
        "file:inside.pth",
        "/data/user/0/io.github.xororz.localdream/files/models/upscaler_anime/upscaler.bin",
    ],
)
def test_everything_else_is_unknown(shipped: Path, folder: Path, asked: str) -> None:
    write(folder.parent / "outside" / "outside.pth", compact_weights())
    write(folder.parent / "outside.pth", compact_weights())
    write(folder / "inside.pth", compact_weights())
    catalogue = Catalogue(folder, shipped=shipped)
    with pytest.raises(UnknownUpscaler) as caught:
        catalogue.resolve(asked)
    assert str(caught.value).endswith(": use one of default, tiny-x4, inside")
    assert caught.value.request_error


def test_absolute_paths_are_unknown_even_to_a_file_on_offer(shipped: Path, folder: Path) -> None:
    inside = write(folder / "inside.pth", compact_weights())
    with pytest.raises(UnknownUpscaler):
        Catalogue(folder, shipped=shipped).resolve(str(inside))


def test_a_linked_models_folder_is_what_it_points_to(shipped: Path, folder: Path) -> None:
    write(folder / "inside.pth", compact_weights())
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert Catalogue(link, shipped=shipped).resolve("inside") == "inside"


def test_links_of_the_folder_are_followed_once(shipped: Path, folder: Path) -> None:
    outside = write(folder.parent / "outside" / "other.pth", rrdb_weights())
    (folder / "linked.pth").symlink_to(outside)
    (folder / "linked folder").symlink_to(outside.parent)
    (folder / "round").symlink_to(folder)
    (folder / "gone.pth").symlink_to(folder / "nothing")
    catalogue = Catalogue(folder, shipped=shipped)
    assert [model.name for model in catalogue.models()] == ["tiny-x4", "linked folder/other", "linked"]
    assert catalogue.locate("linked")[0].architecture == "rrdb 8x1"


def test_names_may_be_of_any_script(shipped: Path, folder: Path) -> None:
    for name in ("超分", "увеличение", "café"):
        write(folder / f"{name}.pth", compact_weights())
    catalogue = Catalogue(folder, shipped=shipped)
    assert {model.name for model in catalogue.models()[1:]} == {"超分", "увеличение", "café"}
    assert catalogue.resolve("超分.pth") == "超分"


def test_pipes_are_not_opened(shipped: Path, folder: Path) -> None:
    os.mkfifo(folder / "pipe.pth")
    assert [model.name for model in Catalogue(folder, shipped=shipped).models()] == ["tiny-x4"]


def test_the_list_in_an_error_is_short_and_its_text_tame(shipped: Path, folder: Path) -> None:
    for number in range(30):
        write(folder / f"m{number:02}.safetensors", compact_weights())
    with pytest.raises(UnknownUpscaler) as caught:
        Catalogue(folder, shipped=shipped).resolve("\x1b[31m" + "x" * 5000)
    assert len(str(caught.value)) < 400
    assert "\x1b" not in str(caught.value)
    assert "or 12 more" in str(caught.value)


def test_unknown_names_can_be_mapped_to_the_default(shipped: Path, folder: Path) -> None:
    write(folder / "inside.pth", compact_weights())
    catalogue = Catalogue(folder, shipped=shipped, unknown_is_default=True)
    assert catalogue.resolve("/data/user/0/files/upscaler.bin") == "tiny-x4"
    assert catalogue.resolve("inside") == "inside"


def test_files_that_cannot_be_used_are_not_offered_but_explained(shipped: Path, folder: Path) -> None:
    (folder / "noise.pth").write_bytes(b"noise")
    write(folder / "x3.safetensors", compact_weights(scale=3))
    torch.save({"params": {"a": torch.ones(1)}}, folder / "other.pth")
    (folder / "notes.txt").write_text("not a model")
    catalogue = Catalogue(folder, shipped=shipped)
    assert [model.name for model in catalogue.models()] == ["tiny-x4"]
    refused = catalogue.refused()
    assert sorted(refused) == ["noise.pth", "other.pth", "x3.safetensors"]
    assert refused["x3.safetensors"] == (
        "x3.safetensors: enlarges by 3: only 4 can be used, 2 (applied twice) and 8 (halved)"
    )


def test_files_added_removed_and_replaced_while_running_are_noticed(shipped: Path, folder: Path) -> None:
    catalogue = Catalogue(folder, shipped=shipped)
    path = write(folder / "late.pth", compact_weights())
    assert catalogue.locate("late")[0].architecture == "compact 8x2"
    write(path, rrdb_weights())
    assert catalogue.locate("late")[0].architecture == "rrdb 8x1"
    path.unlink()
    with pytest.raises(UnknownUpscaler):
        catalogue.resolve("late")


def test_a_missing_folder_and_an_empty_catalogue_are_errors_at_the_start(shipped: Path, folder: Path) -> None:
    with pytest.raises(UnusableWeights, match="nowhere is not a folder"):
        Catalogue(folder / "nowhere", shipped=shipped)
    with pytest.raises(UnusableWeights, match="there is no upscaler"):
        Catalogue(folder, shipped=folder)
