"""Captions: they say what they claim to say, in many ways, and nothing that the scene is not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from local_dream_reference.synthetic_dataset import lexicon
from local_dream_reference.synthetic_dataset.grammar import CALM, Caption, calmed, describe, foreign
from local_dream_reference.synthetic_dataset.scene import ATTRIBUTES, Scene, Thing, sample_scene

SCENE = Scene("night", "snow", "meadow", "mountains", "none", "pixel", (Thing("house", "red", "small", "left"),))


def captions(count: int) -> list[tuple[Scene, Caption]]:
    result = []
    for index in range(count):
        rng = np.random.default_rng([6, index])
        scene = sample_scene(rng)
        result.append((scene, describe(scene, rng)))
    return result


def says(text: str, options: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(option.lower())}\b", text.lower()) for option in options)


def test_what_is_said_is_true() -> None:
    for scene, caption in captions(600):
        for name in ATTRIBUTES:
            if name in caption.said and caption.said[name] != "shown":
                assert caption.said[name] == getattr(scene, name)
        if caption.said.get("light") == "shown":
            assert scene.light != "none"
        assert caption.said["count"] == str(len(scene.things))
        for which in ("first", "second"):
            said = {
                part: caption.said[f"{which}.{part}"]
                for part in ("kind", "colour", "size", "place")
                if f"{which}.{part}" in caption.said
            }
            if said:
                assert any(all(getattr(thing, part) == value for part, value in said.items()) for thing in scene.things)


@pytest.mark.parametrize("name", list(lexicon.SCENE_WORDS))
def test_what_is_said_is_in_the_text(name: str) -> None:
    for _, caption in captions(400):
        if name in caption.said:
            words = lexicon.SCENE_WORDS[name][caption.said[name]]
            clipped = [w.lower() for w in (*words.clauses, *words.tags, *words.sentences)]
            # A stranger may have been put into the middle of a phrase: compare by the words that remain.
            assert any(all(word in caption.text.lower() for word in phrase.split()) for phrase in clipped), caption.text


def test_things_are_in_the_text() -> None:
    for _, caption in captions(400):
        for which in ("first", "second"):
            if f"{which}.kind" in caption.said:
                forms = lexicon.KINDS[caption.said[f"{which}.kind"]]
                assert any(
                    all(word in caption.text.lower() for word in form.split()) for pair in forms for form in pair
                )
            if f"{which}.colour" in caption.said:
                colours = lexicon.COLOURS[caption.said[f"{which}.colour"]]
                assert any(all(word in caption.text.lower() for word in colour.split()) for colour in colours)


def test_a_colour_that_is_not_said_is_not_in_the_text() -> None:
    quiet = Scene("day", "clear", "desert", "open", "none", "illustration", (Thing("tree", "green", "small", "left"),))
    silent = [
        caption
        for caption in (describe(quiet, np.random.default_rng(n)) for n in range(500))
        if "first.colour" not in caption.said
    ]
    assert silent
    assert not any(says(caption.text, lexicon.COLOURS["green"]) for caption in silent)


def test_one_scene_has_many_phrasings() -> None:
    texts = {describe(SCENE, np.random.default_rng(seed)).text for seed in range(300)}
    assert len(texts) > 290


def test_attributes_are_sometimes_left_out() -> None:
    things = (Thing("house", "red", "large", "centre"),)
    plain = Scene("day", "clear", "meadow", "open", "none", "illustration", things)
    said = [describe(plain, np.random.default_rng(seed)).said for seed in range(200)]
    for name in ("time", "weather", "ground", "backdrop", "style", "first.colour", "first.size", "first.place"):
        share = sum(name in one for one in said) / len(said)
        assert 0.03 < share < 0.8, name


def test_what_is_left_out_is_calm() -> None:
    for scene, caption in captions(600):
        at_sea = any(thing.kind == "boat" for thing in scene.things)
        calm = {"time": "day", "weather": "clear", "ground": "sea" if at_sea else "meadow", "backdrop": "open"}
        calm |= {"style": "illustration", "light": "none"}
        for name, value in calm.items():
            assert name in caption.said or getattr(scene, name) == value, (name, caption.text)
        if len(scene.things) == 1:
            (thing,) = scene.things
            assert "first.size" in caption.said or thing.size == "large"
            assert "first.place" in caption.said or thing.place == "centre"
        if (
            len({thing.kind for thing in scene.things}) == 2
            and not {"first.place", "second.place"} & caption.said.keys()
        ):
            assert caption.said["first.kind"] == scene.things[0].kind
            assert scene.things[0].place == "left"


def test_a_prompt_without_a_word_of_the_world_says_nothing() -> None:
    things = {word for forms in lexicon.KINDS.values() for pair in forms for word in pair}
    for seed in range(300):
        caption = foreign(np.random.default_rng(seed))
        assert caption.said == {}
        assert not things & set(re.findall(r"[a-z]+", caption.text.lower())), caption.text


def test_a_calmed_scene_keeps_its_things() -> None:
    for scene, _ in captions(200):
        after = calmed(scene, np.random.default_rng(1))
        assert after.things == scene.things
    assert not CALM.things


def test_same_random_numbers_same_caption() -> None:
    assert describe(SCENE, np.random.default_rng(3)) == describe(SCENE, np.random.default_rng(3))


def test_values_of_an_attribute_share_no_phrase() -> None:
    for values in lexicon.SCENE_WORDS.values():
        phrases = [phrase for words in values.values() for phrase in (*words.clauses, *words.tags, *words.sentences)]
        by_value = [{*words.clauses, *words.tags, *words.sentences} for words in values.values()]
        assert sum(len(group) for group in by_value) == len(set(phrases))


def test_an_article_fits_its_noun() -> None:
    texts = [caption.text for _, caption in captions(600)]
    assert any(re.search(r"\ban (azure|emerald|ivory|oak)\b", text) for text in texts)
    assert not any(re.search(r"\ba (azure|emerald|ivory|oak)\b", text) for text in texts)
    assert not any("  " in text for text in texts)
