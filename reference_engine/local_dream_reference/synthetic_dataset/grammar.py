"""Many ways to put a scene into words, and the record of what a caption said.

A caption leaves things out, as people do. What it leaves out is not in :attr:`Caption.said`, so nothing can be asked of
a picture that its prompt did not ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from local_dream_reference.synthetic_dataset import lexicon
from local_dream_reference.synthetic_dataset.scene import Scene, Thing

#: How often an attribute is said at all. An open backdrop and the plain style go without saying, so that a prompt that
#: is silent about them mostly gets them.
_SAY = {"time": 0.8, "weather": 0.75, "ground": 0.87, "backdrop": 0.85, "style": 0.95}
_SAY_DEFAULT = {"open": 0.1, "illustration": 0.15}
_SAY_COLOUR, _SAY_SIZE, _SAY_PLACE, _SAY_LIGHT = 0.93, 0.55, 0.72, 0.45
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
    for name, chance in _SAY.items():
        value = getattr(scene, name)
        if rng.random() < _SAY_DEFAULT.get(value, chance):
            said[name] = value
    form = rng.random()
    if form < 0.5:
        text = _prose(scene, said, rng)
    elif form < 0.82:
        text = _tags(scene, said, rng)
    else:
        text = _sentences(scene, said, rng)
    return Caption(_season(text, rng), said)


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
    if rng.random() < 0.7:
        return _pick(rng, lexicon.STRANGERS)
    return "".join(_pick(rng, _SYLLABLES) for _ in range(int(rng.integers(2, 5))))


def _noun_phrase(thing: Thing, prefix: str, count: int, said: dict[str, str], rng: np.random.Generator) -> str:
    """Return "a small red house" or "two red houses" and note kind, colour and size."""
    forms = lexicon.KINDS[thing.kind]
    singular, plural = forms[int(rng.integers(len(forms)))]
    said[f"{prefix}.kind"] = thing.kind
    words = []
    # Three things are always small: saying so would only teach the model to expect a choice.
    if count < 3 and rng.random() < _SAY_SIZE:
        said[f"{prefix}.size"] = thing.size
        words.append(_pick(rng, lexicon.SIZES[thing.size]))
    if rng.random() < _SAY_COLOUR:
        said[f"{prefix}.colour"] = thing.colour
        words.append(_pick(rng, lexicon.COLOURS[thing.colour]))
    if count > 1:
        return " ".join([_pick(rng, lexicon.NUMBERS[count]), *words, plural])
    phrase = " ".join([*words, singular])
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _place(thing: Thing, prefix: str, said: dict[str, str], rng: np.random.Generator) -> str:
    if rng.random() >= _SAY_PLACE:
        return ""
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
        return [(things[0].kind, phrase + (_place(things[0], "first", said, rng) if count == 1 else ""))]
    ordered = things if rng.random() < 0.5 else things[::-1]
    subjects = []
    for prefix, thing in zip(("first", "second"), ordered, strict=True):
        phrase = _noun_phrase(thing, prefix, 1, said, rng)
        subjects.append((thing.kind, phrase + _place(thing, prefix, said, rng)))
    return subjects


def _light(scene: Scene, said: dict[str, str], rng: np.random.Generator) -> str:
    """Return "the sun on the left" or nothing."""
    if scene.light == "none" or rng.random() >= _SAY_LIGHT:
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
    phrases = [phrase for _, phrase in _subjects(scene, said, rng)] or [_pick(rng, lexicon.EMPTY_SUBJECTS)]
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
        return _pick(rng, lexicon.EMPTY_SUBJECTS)
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
        return _pick(rng, lexicon.EMPTY_SUBJECTS)
    return ". ".join(part[0].upper() + part[1:] for part in body) + "."


def _split_place(phrase: str) -> tuple[str, str, str]:
    """Split "a red house on the left" into the noun phrase, nothing, and " on the left"."""
    for places in lexicon.PLACES.values():
        for place in sorted(places, key=len, reverse=True):
            if phrase.endswith(" " + place):
                return phrase.removesuffix(" " + place), "", " " + place
    return phrase, "", ""
