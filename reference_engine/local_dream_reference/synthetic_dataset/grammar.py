"""Many ways to put a scene into words, and the record of what a caption said.

A caption leaves things out, as people do: what is calm and goes without saying. What it leaves out is not in
:attr:`Caption.said`, so nothing can be asked of a picture that its prompt did not ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from local_dream_reference.synthetic_dataset import lexicon
from local_dream_reference.synthetic_dataset.scene import Scene, Thing

#: What goes without saying, and how often it is said all the same. Everything else is always said, so that a prompt
#: that leaves something open has one calm answer: by day, dry, on a meadow, one large thing in the middle. Where a
#: silent prompt could mean several things, a model learns their average: two suns, three houses.
_CALM = {"time": "day", "weather": "clear", "ground": "meadow", "backdrop": "open", "style": "illustration"}
CALM: Final = Scene(**_CALM, light="none", things=())
"""What a prompt without any known word gets: an empty meadow by day."""

_SAY_CALM = {"time": 0.5, "weather": 0.4, "ground": 0.6, "backdrop": 0.1, "style": 0.15}
_SAY_COLOUR, _SAY_SIZE, _SAY_PLACE = 0.6, 0.4, 0.6
_COLOUR = {"house": "red", "tree": "green", "boat": "white", "car": "blue", "balloon": "red"}
_SYLLABLE_WORDS, _JOINED_WORDS = 0.2, 0.2
_SYLLABLES = ("ba", "ne", "tor", "mi", "lu", "ka", "ri", "sen", "do", "vel", "pa", "shi", "gru", "zo", "ent", "al")


@dataclass(frozen=True, slots=True)
class Caption:
    """One phrasing.

    Attributes:
        text: the prompt, lower or mixed case, at most about 60 tokens.
        said: attribute name -> value for everything that the text states. Names are those of the scene's attributes,
            ``count`` ("0".."3"), and ``first.kind`` ... ``second.place`` for the things in the order of the text.
            ``light`` may also be "shown": a sun or moon without a side.
    """

    text: str
    said: dict[str, str] = field(hash=False)


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def describe(scene: Scene, rng: np.random.Generator) -> Caption:
    """Put ``scene`` into words, one of very many ways."""
    said: dict[str, str] = {}
    for name, calm in _calm(scene).items():
        value = getattr(scene, name)
        if rng.random() < (_SAY_CALM[name] if value == calm else 1.0):
            said[name] = value
    form = rng.random()
    if form < 0.5:
        text = _prose(scene, said, rng)
    elif form < 0.82:
        text = _tags(scene, said, rng)
    else:
        text = _sentences(scene, said, rng)
    return Caption(_season(text, rng), said)


def _calm(scene: Scene) -> dict[str, str]:
    """Return what goes without saying in this scene: a boat is at sea."""
    return _CALM | ({"ground": "sea"} if any(thing.kind == "boat" for thing in scene.things) else {})


def calmed(scene: Scene, rng: np.random.Generator) -> Scene:
    """Return the scene with most of its attributes as they go without saying; its things stay, and where they are."""
    calm: dict[str, Any] = {name: value for name, value in _calm(scene).items() if rng.random() < 0.7}
    return replace(scene, **calm, light=scene.light if rng.random() < 0.2 else "none")


def foreign(rng: np.random.Generator) -> Caption:
    """Return a prompt without any word of the world: it says nothing, and gets the calm scene."""
    phrases = [_foreign_phrase(rng) for _ in range(int(rng.integers(1, 4)))]
    text = (", " if rng.random() < 0.5 else f" {_pick(rng, lexicon.JOINTS)} ").join(phrases)
    if rng.random() < 0.3:
        text = _pick(rng, lexicon.OPENERS) + text
    return Caption(text[0].upper() + text[1:] if rng.random() < 0.2 else text, {})


def _foreign_phrase(rng: np.random.Generator) -> str:
    words = [_stranger(rng) for _ in range(int(rng.integers(1, 4)))]
    if rng.random() < 0.2:  # a colour alone is no thing
        words.insert(0, _pick(rng, lexicon.COLOURS[_pick(rng, tuple(lexicon.COLOURS))]))
    start = rng.random()
    article = "a " if start < 0.4 else "the " if start < 0.6 else ""
    return article + " ".join(words)


def _season(text: str, rng: np.random.Generator) -> str:
    """Add words that mean nothing here: praise that people write into prompts, and words the model has never met."""
    if rng.random() < 0.3:
        filler = ", ".join(_pick(rng, lexicon.FILLERS) for _ in range(int(rng.integers(1, 4))))
        text = f"{filler}, {text}" if rng.random() < 0.5 else f"{text}, {filler}"
    if rng.random() < 0.2:
        words = text.split(" ")
        for _ in range(int(rng.integers(1, 4))):
            words.insert(int(rng.integers(len(words) + 1)), _stranger(rng))
        text = " ".join(words)
    return text


def _stranger(rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < _SYLLABLE_WORDS:
        return "".join(_pick(rng, _SYLLABLES) for _ in range(int(rng.integers(2, 5))))
    word = _pick(rng, lexicon.STRANGERS)
    if kind > 1 - _JOINED_WORDS:  # the head of one and the tail of another: spelt like English, met nowhere
        other = _pick(rng, lexicon.STRANGERS)
        return word[: -(-len(word) // 2)] + other[len(other) // 2 :]
    return word


def _noun_phrase(thing: Thing, prefix: str, count: int, said: dict[str, str], rng: np.random.Generator) -> str:
    """Return "a small red house" or "two red houses" and note kind, colour and size."""
    forms = lexicon.KINDS[thing.kind]
    singular, plural = forms[int(rng.integers(len(forms)))]
    said[f"{prefix}.kind"] = thing.kind
    words = []
    # Three things are always small: saying so would only teach the model to expect a choice.
    if count < 3 and (thing.size == "small" or rng.random() < _SAY_SIZE):
        said[f"{prefix}.size"] = thing.size
        words.append(_pick(rng, lexicon.SIZES[thing.size]))
    if thing.colour != _COLOUR[thing.kind] or rng.random() < _SAY_COLOUR:
        said[f"{prefix}.colour"] = thing.colour
        words.append(_pick(rng, lexicon.COLOURS[thing.colour]))
    if count > 1:
        return " ".join([_pick(rng, lexicon.NUMBERS[count]), *words, plural])
    phrase = " ".join([*words, singular])
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _place(thing: Thing, prefix: str, said: dict[str, str], rng: np.random.Generator) -> str:
    said[f"{prefix}.place"] = thing.place
    return " " + _pick(rng, lexicon.PLACES[thing.place])


def _subjects(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> list[tuple[str, str]]:
    """Return (kind, phrase) for each subject: none, one, a group, or two different things in either order."""
    things = scene.things
    said["count"] = str(len(things))
    if not things:
        return []
    if len({thing.kind for thing in things}) == 1:
        count = len(things)
        phrase = _noun_phrase(things[0], "first", count, said, rng)
        if count == 1 and (things[0].place != "centre" or rng.random() < _SAY_PLACE):
            phrase += _place(things[0], "first", said, rng)
        return [(things[0].kind, phrase)]
    # Both places are said, or one, which settles the other; or none: then the first stands on the left.
    placed = (("first", "second"), ("first",), ("second",), ())[int(rng.choice(4, p=(_SAY_PLACE, 0.1, 0.1, 0.2)))]
    ordered = things[::-1] if placed and rng.random() < 0.5 else things
    subjects = []
    for prefix, thing in zip(("first", "second"), ordered, strict=True):
        phrase = _noun_phrase(thing, prefix, 1, said, rng)
        subjects.append((thing.kind, phrase + (_place(thing, prefix, said, rng) if prefix in placed else "")))
    return subjects


def _empty(rng: np.random.Generator) -> str:
    """Return what stands for the subject where there is nothing that the world knows."""
    return _pick(rng, lexicon.EMPTY_SUBJECTS) if rng.random() < 0.5 else _foreign_phrase(rng)


def _light(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    """Return "the sun on the left" or nothing."""
    if scene.light == "none":
        return ""
    name = _pick(rng, lexicon.MOON if scene.time == "night" else lexicon.SUN)
    if rng.random() < 0.25:
        said["light"] = "shown"
        return name
    said["light"] = scene.light
    return f"{name} {_pick(rng, lexicon.PLACES[scene.light])}"


def _shuffled(items: list[str], rng: np.random.Generator) -> list[str]:
    return [items[i] for i in rng.permutation(len(items))]


def _prose(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    names = [name for name in said if name in lexicon.SCENE_WORDS]
    clauses = [_pick(rng, lexicon.SCENE_WORDS[name][said[name]].clauses) for name in names]
    phrases = [phrase for _, phrase in _subjects(scene, said, rng)] or [_empty(rng)]
    text = " and ".join(phrases)
    if rng.random() < 0.4:
        text = _pick(rng, lexicon.OPENERS) + text
    light = _light(scene, said, rng)
    if light:
        clauses.append(f"with {light}")
    for clause in _shuffled(clauses, rng):
        text += (" " if rng.random() < 0.6 else ", ") + clause
    return text


def _tags(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    names = [name for name in said if name in lexicon.SCENE_WORDS]
    tags = [_pick(rng, lexicon.SCENE_WORDS[name][said[name]].tags) for name in names]
    subjects = [phrase for _, phrase in _subjects(scene, said, rng)]
    if rng.random() < 0.6:
        subjects = [phrase.removeprefix("a ").removeprefix("an ") for phrase in subjects]
    tags += [light] if (light := _light(scene, said, rng)) else []
    if not subjects and not tags:
        return _empty(rng)
    # A person who writes tags mostly begins with the subject.
    tags = _shuffled(tags, rng)
    return ", ".join(subjects + tags if rng.random() < 0.6 else tags + subjects)


def _sentences(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    names = [name for name in said if name in lexicon.SCENE_WORDS]
    parts = [_pick(rng, lexicon.SCENE_WORDS[name][said[name]].sentences) for name in names]
    subjects = []
    for kind, phrase in _subjects(scene, said, rng):
        plural = said["count"] in ("2", "3") and "second.kind" not in said
        if plural or rng.random() < 0.4:
            subjects.append(f"there {'are' if plural else 'is'} {phrase}")
        else:
            verb = _pick(rng, lexicon.VERBS[kind])
            noun, _, place = _split_place(phrase)
            subjects.append(f"{noun} {verb}{place}" if place else f"{noun} {verb} there")
    if light := _light(scene, said, rng):
        parts.append(f"{light} is in the sky" if said["light"] == "shown" else f"there is {light}")
    body = subjects + _shuffled(parts, rng) if rng.random() < 0.75 else _shuffled(parts, rng) + subjects
    if not body:
        return _empty(rng)
    return ". ".join(part[0].upper() + part[1:] for part in body) + "."


def _split_place(phrase: str) -> tuple[str, str, str]:
    """Split "a red house on the left" into the noun phrase, nothing, and " on the left"."""
    for places in lexicon.PLACES.values():
        for place in sorted(places, key=len, reverse=True):
            if phrase.endswith(" " + place):
                return phrase.removesuffix(" " + place), "", " " + place
    return phrase, "", ""
