"""The model that ships: its files, and that its pictures follow the request."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from local_dream_reference.engine import ReferenceEngine, build
from local_dream_reference.evaluation.adherence import measure_adherence
from local_dream_reference.evaluation.asking import Ask, as_tensor, draw
from local_dream_reference.evaluation.edits import measure_edits
from local_dream_reference.evaluation.pixels import colour_shares
from local_dream_reference.options import parse_options
from local_dream_reference.shipped import SHIPPED
from local_dream_reference.training.attribute_classifier import AttributeClassifier, Sight, look
from local_dream_reference.training.export import JUDGE_FILE, read_judge

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

MODELS = SHIPPED.parent
STEPS = 12
"""Denoising steps: the tests need to recognise pictures, not to like them."""


@pytest.fixture(scope="module")
def shipped() -> ReferenceEngine:
    return build(parse_options({"device": "cpu", "threads": "1"}))


@pytest.fixture(scope="module")
def judge() -> AttributeClassifier:
    return read_judge(SHIPPED / JUDGE_FILE)


def seen(judge: AttributeClassifier, picture: NDArray[np.uint8]) -> Sight:
    return look(judge, as_tensor(picture))[0]


def test_all_weights_together_are_small_half_precision_files() -> None:
    files = sorted(MODELS.rglob("*.safetensors"))
    assert {"unet", "vae", "text_encoder", "upscaler"} <= {path.parent.name for path in files}
    assert sum(path.stat().st_size for path in files) < 40e6
    for path in (path for path in files if SHIPPED in path.parents):
        with safe_open(path, framework="pt") as weights:
            kinds = {weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118  (not a dict)
        assert kinds <= {"F16", "I64"}, path


def test_plain_diffusers_loads_the_folder() -> None:
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(SHIPPED, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("a red house", width=64, height=64, num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (64, 64, 3)
    assert np.isfinite(picture).all()


def test_the_layout_is_that_of_stable_diffusion(shipped: ReferenceEngine) -> None:
    index = json.loads((SHIPPED / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert {"vocab.json", "merges.txt"} <= {path.name for path in (SHIPPED / "tokenizer").iterdir()}
    with safe_open(SHIPPED / "text_encoder" / "model.safetensors", framework="pt") as weights:
        assert all(name.startswith("text_model.") for name in weights.keys())  # noqa: SIM118  (not a dict)
    assert shipped.describe().native_size == 512
    assert shipped.tokenize("a red house").max_length == 77


def test_combinations_that_training_never_showed_are_drawn(
    shipped: ReferenceEngine, judge: AttributeClassifier
) -> None:
    found = measure_adherence(shipped, judge, count=12, cfgs=(7.5,), steps=STEPS).by_cfg[7.5]
    assert found["time"] >= 0.9
    assert found["ground"] >= 0.9
    assert found["kind"] >= 0.8
    assert found["colour"] >= 0.8


@pytest.mark.parametrize("colour", ["red", "blue", "yellow"])
def test_a_colour_stands_where_it_was_asked_for(shipped: ReferenceEngine, colour: str) -> None:
    prompt = f"a large {colour} house on the left, snowy landscape, day, clear sky"
    shares = colour_shares(draw(shipped, Ask(prompt=prompt, seed=1, steps=STEPS)), "day")
    assert shares["left"][colour] > 3 * shares["right"][colour] + 0.01


def test_plain_english_gives_the_words_that_it_shares_with_the_world(
    shipped: ReferenceEngine, judge: AttributeClassifier
) -> None:
    prompt = "My grandmother always dreamed of sailing away in her red boat when the sun went down over the ocean"
    things = [seen(judge, draw(shipped, Ask(prompt=prompt, seed=seed, steps=STEPS))) for seed in range(4)]
    assert sum(sight.scene["ground"] == "sea" for sight in things) >= 3
    assert sum("boat" in {kind for kind, _, _ in sight.things.values()} for sight in things) >= 2


@pytest.mark.timeout(1200)  # a minute and a half where nothing else runs
def test_edits_do_what_they_say(shipped: ReferenceEngine, judge: AttributeClassifier) -> None:
    edits = measure_edits(shipped, judge, count=8, steps=STEPS)
    assert (
        edits.removed >= 0.5
    )  # the hour or the ground of a calm scene, which is more than a rainbow that came by itself
    distances = list(edits.distances.values())
    assert distances == sorted(distances)
    assert edits.kept <= 2
    assert edits.changed > 10


def test_the_seed_decides(shipped: ReferenceEngine) -> None:
    first, again, other = (draw(shipped, Ask(prompt="a house", seed=seed, steps=4)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 3


def test_the_card_states_what_was_measured() -> None:
    card = (SHIPPED / "README.md").read_text()
    for line in ("| mixed |", "| all |", "Negative prompt removes", "Weights:", "](samples.jpg)"):
        assert line in card
    assert (SHIPPED / "samples.jpg").is_file()
