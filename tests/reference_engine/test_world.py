"""The illustrated world: scenes, pictures, and the split that keeps combinations for evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from local_dream_reference.synthetic_dataset.painter import box_weights, paint
from local_dream_reference.synthetic_dataset.palette import PAINTS
from local_dream_reference.synthetic_dataset.scene import (
    ATTRIBUTES,
    COLOURS,
    GROUNDS,
    KINDS,
    PLACES,
    SIZES,
    STYLES,
    TIMES,
    WEATHERS,
    Scene,
    Thing,
    sample_scene,
)
from local_dream_reference.synthetic_dataset.split import is_held_out, is_held_out_combination, sample_split
from local_dream_reference.synthetic_dataset.things import PLACE_X

PLAIN = Scene("day", "clear", "meadow", "open", "none", "illustration", ())


def scenes(count: int) -> list[Scene]:
    return [sample_scene(np.random.default_rng([4, index])) for index in range(count)]


def picture(scene: Scene, width: int = 96, height: int = 96, seed: int = 0) -> np.ndarray:
    return np.asarray(paint(scene, width, height, np.random.default_rng(seed)).image, dtype=np.int16)


def test_every_value_of_every_attribute_occurs() -> None:
    drawn = scenes(800)
    for name, values in ATTRIBUTES.items():
        assert {getattr(scene, name) for scene in drawn} == set(values)
    things = [thing for scene in drawn for thing in scene.things]
    assert {thing.kind for thing in things} == set(KINDS)
    assert {thing.colour for thing in things} == set(COLOURS)
    assert {thing.size for thing in things} == set(SIZES)
    assert {thing.place for thing in things} == set(PLACES)
    assert {len(scene.things) for scene in drawn} == {0, 1, 2, 3}


def test_scenes_keep_the_rules_of_the_world() -> None:
    for scene in scenes(800):
        places = [thing.place for thing in scene.things]
        assert len(places) == len(set(places))
        assert scene.ground == "sea" or all(thing.kind != "boat" for thing in scene.things)
        assert not (scene.weather == "rainbow" and scene.time == "night")
        assert scene.light == "none" or scene.weather not in ("rain", "snow")
        assert all(thing.kind != "balloon" or thing.place != scene.light for thing in scene.things)


@pytest.mark.parametrize(("width", "height"), [(16, 16), (96, 64), (64, 96), (129, 65)])
def test_pictures_have_the_asked_size(width: int, height: int) -> None:
    for scene in scenes(12):
        painting = paint(scene, width, height, np.random.default_rng(1))
        assert painting.image.size == (width, height)
        assert painting.image.mode == "RGB"
        assert len(painting.boxes) == len(scene.things)


def test_same_scene_and_seed_give_the_same_pixels() -> None:
    for scene in scenes(8):
        assert np.array_equal(picture(scene), picture(scene))
        assert not np.array_equal(picture(scene), picture(scene, seed=1))


@pytest.mark.parametrize(
    ("name", "values"), [("time", TIMES), ("weather", WEATHERS), ("ground", GROUNDS), ("style", STYLES)]
)
def test_each_value_changes_the_picture(name: str, values: tuple[str, ...]) -> None:
    changes: list[dict[str, Any]] = [{name: value} for value in values]
    pictures = [picture(replace(PLAIN, **change), 160, 160) for change in changes]
    for number, first in enumerate(pictures):
        for second in pictures[number + 1 :]:
            assert np.abs(first - second).mean() > 0.8


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_thing_stands_at_its_place_in_its_colour(kind: str, colour: str, place: str) -> None:
    thing = Thing(kind, colour, "large", place)
    ground = "sea" if kind == "boat" else "desert"
    without = replace(PLAIN, ground=ground)
    changed = np.abs(picture(replace(without, things=(thing,)), 128, 128) - picture(without, 128, 128)).sum(axis=2) > 60
    centre = np.nonzero(changed)[1].mean() / 128
    assert abs(centre - PLACE_X[place]) < 0.06
    near = np.linalg.norm(picture(replace(without, things=(thing,)), 128, 128) - np.array(PAINTS[colour]), axis=2) < 40
    assert (near & changed).sum() > 0.1 * changed.sum()


def test_large_things_cover_more_than_small_ones() -> None:
    for kind in KINDS:
        sizes = {
            size: np.prod(
                [
                    box[2] - box[0]
                    for box in paint(
                        replace(PLAIN, ground="sea", things=(Thing(kind, "red", size, "centre"),)),
                        64,
                        64,
                        np.random.default_rng(0),
                    ).boxes
                ]
            )
            for size in SIZES
        }
        assert sizes["large"] > 1.4 * sizes["small"]


def test_boxes_hold_the_things() -> None:
    scene = replace(PLAIN, things=(Thing("house", "red", "large", "left"),))
    painting = paint(scene, 128, 128, np.random.default_rng(0))
    changed = np.abs(np.asarray(painting.image, dtype=np.int16) - picture(PLAIN, 128, 128)).sum(axis=2) > 100
    weights = box_weights(painting.boxes, 128, 128, 3.0)
    assert weights[changed].mean() > 2.8
    assert weights.min() == 1.0
    assert weights.max() == 3.0


def test_the_split_is_fair_and_exact() -> None:
    combinations = [
        is_held_out_combination(Thing(kind, colour, "small", "left"), replace(PLAIN, ground=ground, time=time))
        for kind in KINDS
        for colour in COLOURS
        for ground in GROUNDS
        for time in TIMES
    ]
    assert 0.06 < sum(combinations) / len(combinations) < 0.14
    for held_out in (False, True):
        drawn = [sample_split(np.random.default_rng([9, n]), held_out=held_out) for n in range(50)]
        assert {is_held_out(scene) for scene in drawn} == {held_out}


def test_every_value_is_seen_in_training() -> None:
    things = [
        (thing, scene)
        for scene in (sample_split(np.random.default_rng([5, n]), held_out=False) for n in range(1500))
        for thing in scene.things
    ]
    assert {(thing.kind, thing.colour) for thing, _ in things} == {
        (kind, colour) for kind in KINDS for colour in COLOURS
    }
