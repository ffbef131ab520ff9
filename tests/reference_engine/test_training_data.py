"""What training is fed with: drawings, windows of them, and labels."""

from __future__ import annotations

from collections import deque

import numpy as np

from local_dream_reference.synthetic_dataset.grammar import CALM, Caption
from local_dream_reference.synthetic_dataset.scene import Scene, Thing
from local_dream_reference.synthetic_dataset.split import is_held_out
from local_dream_reference.training.drawings import Drawings, stream
from local_dream_reference.training.labels import NOT_ASKED, SAID, SHOWN, said_classes, shown_classes
from local_dream_reference.training.window import Window, choose


def test_the_window_depends_on_its_position_only() -> None:
    def window() -> Window[int, int]:
        return Window(lambda start: iter(range(start, 10_000)), lambda group: [-n for n in group], 20, 3)

    walked = window()
    contents = [list(walked.at(turn_number)) for turn_number in range(6)]
    assert contents[5] == list(window().at(5)) == [-n for n in range(15, 35)]
    assert len(choose(walked.at(6), 8, np.random.default_rng(0))) == 8
    assert len(choose(deque([1, 2]), 5, np.random.default_rng(0))) == 5


def test_worker_processes_draw_the_same_pictures() -> None:
    drawings = Drawings("probe", (32, 32), seed=3)
    alone, beside = stream(drawings, 5, 0), stream(drawings, 5, 2)
    for _ in range(5):
        first, second = next(alone), next(beside)
        assert np.array_equal(first.picture, second.picture)
        assert first.caption == second.caption


def test_scenes_with_two_kinds_can_be_asked_for() -> None:
    def share(pairs: float) -> float:
        drawings = Drawings("probe", (32, 32), seed=3, pairs=pairs)
        return sum(len({thing.kind for thing in drawings[n].scene.things}) == 2 for n in range(60)) / 60

    assert share(0.0) < 0.3
    assert 0.3 < share(0.4) < 0.7
    assert share(1.0) == 1.0


def test_calm_drawings_are_calm_and_some_prompts_are_foreign() -> None:
    drawings = Drawings("probe", (32, 32), seed=3, calm=1.0)
    seen = [drawings[number] for number in range(80)]
    assert sum(drawing.scene.time == "day" for drawing in seen) > 0.7 * len(seen)
    foreign = [drawing for drawing in seen if not drawing.caption.said]
    assert 0.05 < len(foreign) / len(seen) < 0.4
    assert all(drawing.scene == CALM for drawing in foreign)
    assert not any(is_held_out(drawing.scene) for drawing in seen)


def test_labels_say_what_scene_and_caption_say() -> None:
    scene = Scene("night", "snow", "sea", "open", "none", "poster", (Thing("boat", "blue", "large", "centre"),))
    shown = dict(zip(SHOWN, shown_classes(scene), strict=True))
    assert SHOWN["time"][shown["time"]] == "night"
    assert SHOWN["centre.kind"][shown["centre.kind"]] == "boat"
    assert SHOWN["centre.colour"][shown["centre.colour"]] == "blue"
    assert SHOWN["left.kind"][shown["left.kind"]] == "nothing"
    assert shown["left.colour"] == NOT_ASKED
    said = dict(zip(SAID, said_classes(Caption("a blue boat", {"first.colour": "blue"})), strict=True))
    assert SAID["first.colour"][said["first.colour"]] == "blue"
    assert SAID["time"][said["time"]] == "nothing"
