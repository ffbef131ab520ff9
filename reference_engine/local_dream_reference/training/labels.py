"""Attribute values as class numbers: what the text encoder is pre-trained on and what the judge predicts."""

from __future__ import annotations

from typing import Final

from local_dream_reference.synthetic_dataset import scene as world
from local_dream_reference.synthetic_dataset.grammar import Caption
from local_dream_reference.synthetic_dataset.scene import Scene

NOTHING: Final = "nothing"

_THING_SAID: Final = {"kind": world.KINDS, "colour": world.COLOURS, "size": world.SIZES, "place": world.PLACES}

#: What a caption can say, each with "nothing" as class 0.
SAID: Final[dict[str, tuple[str, ...]]] = {
    **{name: (NOTHING, *values) for name, values in world.ATTRIBUTES.items() if name != "light"},
    "light": (NOTHING, "shown", "left", "right"),
    "count": (NOTHING, "0", "1", "2", "3"),
    **{f"{which}.{name}": (NOTHING, *values) for which in ("first", "second") for name, values in _THING_SAID.items()},
}

#: What a picture shows: the scene's attributes, and per third of the width what stands there. A colour or size is only
#: asked for (class >= 0) where something stands.
SHOWN: Final[dict[str, tuple[str, ...]]] = {
    **world.ATTRIBUTES,
    **{f"{place}.kind": (NOTHING, *world.KINDS) for place in world.PLACES},
    **{f"{place}.colour": world.COLOURS for place in world.PLACES},
    **{f"{place}.size": world.SIZES for place in world.PLACES},
}

NOT_ASKED: Final = -100  # torch's cross-entropy ignores it


def said_classes(caption: Caption) -> list[int]:
    """Return one class number per entry of :data:`SAID`."""
    return [values.index(caption.said.get(name, NOTHING)) for name, values in SAID.items()]


def shown_classes(scene: Scene) -> list[int]:
    """Return one class number per entry of :data:`SHOWN`, or :data:`NOT_ASKED`."""
    classes = []
    for name, values in SHOWN.items():
        place, _, part = name.partition(".")
        if not part:
            classes.append(values.index(getattr(scene, name)))
            continue
        thing = scene.at(place)
        if thing is None:
            classes.append(0 if part == "kind" else NOT_ASKED)
        else:
            classes.append(values.index(getattr(thing, part)))
    return classes
