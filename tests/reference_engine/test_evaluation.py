"""The evaluation: verdicts, pixel tests, the report, and the command on a toy model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from local_dream_reference.evaluation.command import main
from local_dream_reference.evaluation.pixels import BLOCKY, can_tell, pixel_verdicts, within_blocks
from local_dream_reference.synthetic_dataset.scene import ATTRIBUTES, STYLES, Scene, Thing
from local_dream_reference.training.attribute_classifier import (
    AttributeClassifier,
    Sight,
    compare,
    look,
    shares,
    verdicts,
)
from local_dream_reference.training.command import main as train
from local_dream_reference.training.drawings import Drawings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

EMPTY = Scene("day", "clear", "sea", "open", "left", "poster", ())
SCENE = {name: getattr(EMPTY, name) for name in ATTRIBUTES}
SIGHT = Sight(SCENE, {"left": ("house", "red", "small"), "right": ("boat", "blue", "large")})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"time": "day"}, {"time": True}),
        ({"time": "night", "ground": "sea"}, {"time": False, "ground": True}),
        ({"light": "shown"}, {"light": True}),
        ({"light": "right"}, {"light": False}),
        ({"count": "2"}, {"count": True}),
        ({"count": "1"}, {"count": False}),
        ({"first.kind": "boat"}, {"kind": True}),
        ({"first.kind": "car"}, {"kind": False}),
        ({"first.kind": "car", "first.colour": "red"}, {"kind": False, "colour": False}),
        ({"first.kind": "boat", "first.colour": "red"}, {"kind": True, "colour": False}),
        ({"first.kind": "boat", "first.place": "left"}, {"kind": True, "place": False}),
        (
            {"first.kind": "boat", "first.place": "right", "first.size": "large"},
            {"kind": True, "place": True, "size": True},
        ),
        ({"first.kind": "boat", "second.kind": "house", "second.colour": "blue"}, {"kind": True, "colour": False}),
        ({"first.kind": "tree", "second.kind": "house"}, {"kind": False}),
    ],
)
def test_verdicts_are_about_what_was_said(said: dict[str, str], expected: dict[str, bool]) -> None:
    assert verdicts(said, SIGHT) == expected


def test_comparing_with_a_scene() -> None:
    scene = replace(EMPTY, things=(Thing("house", "red", "small", "left"), Thing("boat", "blue", "large", "right")))
    assert all(compare(scene, SIGHT).values())
    other = replace(EMPTY, things=(Thing("house", "red", "small", "left"), Thing("boat", "white", "large", "right")))
    assert not compare(other, SIGHT)["colour"]
    assert compare(other, SIGHT)["kind"]
    assert not compare(EMPTY, SIGHT)["kind"]


def test_shares_count_only_those_that_asked() -> None:
    table = shares([{"time": True}, {"time": False, "kind": True}, {"kind": True}])
    assert table == {"time": 0.5, "kind": 1.0, "all": pytest.approx(2 / 3)}


def test_a_judge_sees_pictures_of_any_size() -> None:
    torch.manual_seed(0)
    judge = AttributeClassifier(8, 32).eval()
    for height, width in ((32, 32), (64, 96), (17, 40)):
        sight = look(judge, torch.zeros(2, 3, height, width))
        assert len(sight) == 2
        assert set(sight[0].scene) == set(SCENE)


def test_pixel_tests_are_right_on_true_drawings_and_wrong_on_others() -> None:
    drawings = Drawings("pixel tests", (128, 128), seed=2, held_out=True)
    told = [drawings[index] for index in range(500)]
    told = [drawing for drawing in told if can_tell(drawing.caption.said)]
    assert len(told) > 30
    table = shares([pixel_verdicts(drawing.caption.said, drawing.picture) for drawing in told])
    assert table["colour"] > 0.9
    assert table["place"] > 0.9
    mirrored = shares(
        [
            pixel_verdicts(d.caption.said, np.ascontiguousarray(d.picture[:, ::-1]))
            for d in told
            if d.caption.said["first.place"] != "centre"
        ]
    )
    assert mirrored["place"] < 0.1
    swapped = shares([pixel_verdicts(d.caption.said, np.ascontiguousarray(d.picture[..., ::-1])) for d in told])
    assert swapped["colour"] < 0.5


def test_blocks_are_told_from_every_other_style() -> None:
    drawings = Drawings("styles", (512, 512), seed=3)
    shown = [drawings[index] for index in range(40)]
    assert {drawing.scene.style for drawing in shown} == set(STYLES)
    for drawing in shown:
        blocky = drawing.scene.style == "pixel"
        share = within_blocks(drawing.picture)
        assert share < 0.05 if blocky else share > BLOCKY + 0.1, drawing.scene
        said = {"style": drawing.scene.style}
        assert pixel_verdicts(said, drawing.picture) == {"style": True}
        assert pixel_verdicts({"style": "poster" if blocky else "pixel"}, drawing.picture) == {"style": False}


def test_a_picture_of_one_colour_has_no_blocks() -> None:
    assert within_blocks(np.full((64, 64, 3), 7, np.uint8)) == 0.5


def test_pixel_tests_abstain_where_they_cannot_tell() -> None:
    said = {
        "count": "1",
        "first.colour": "red",
        "first.place": "left",
        "ground": "meadow",
        "time": "day",
        "weather": "clear",
    }
    assert can_tell(said)
    assert not can_tell(said | {"first.colour": "green"})
    assert not can_tell(said | {"first.colour": "white"})
    assert not can_tell(said | {"weather": "rainbow"})
    assert not can_tell(said | {"style": "pastel"})
    assert not can_tell({name: value for name, value in said.items() if name != "time"})


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("exported") / "model"
    shared = ["--work", str(trained), "--recipe", "toy", "--device", "cpu", "--threads", "1"]
    result = CliRunner().invoke(train, ["export", *shared, "--to", str(target)])
    assert result.exit_code == 0, result.output
    return target


def test_the_command_prints_every_figure_and_fills_the_card(exported: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    arguments = [
        "--model",
        str(exported),
        "--count",
        "3",
        "--edits",
        "2",
        "--steps",
        "2",
        "--threads",
        "1",
        "--device",
        "cpu",
    ]
    result = CliRunner().invoke(main, [*arguments, "--json", str(figures), "--card"])
    assert result.exit_code == 0, result.output
    measured = json.loads(figures.read_text())
    assert set(measured["adherence"]["by_cfg"]) == {"7.5", "1.0"}
    assert 0 <= measured["edits"]["removed"] <= 1
    assert list(measured["edits"]["distances"]) == ["0.2", "0.4", "0.6", "0.8", "1.0"]
    assert measured["edits"]["kept"] == 0
    assert measured["cost"]["weights"] > 0
    card = (exported / "README.md").read_text()
    for line in ("| all |", "Negative prompt removes", "Inpainting", "Loading the engine", "](samples.jpg)"):
        assert line in result.output or line == "](samples.jpg)"
        assert line in card
    assert "| unet64 |" in card
    assert (exported / "samples.jpg").is_file()


def test_a_model_without_a_judge_is_refused(tiny_folder: Path) -> None:
    result = CliRunner().invoke(main, ["--model", str(tiny_folder), "--threads", "1", "--device", "cpu"])
    assert result.exit_code == 1
    assert "no judge.safetensors" in result.output


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--model", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
