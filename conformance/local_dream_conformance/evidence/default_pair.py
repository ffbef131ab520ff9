"""The evidence for defaults that show in a picture: everything left out against everything sent.

Where the two pictures are alike, every default is as written. Where they are not, the bisections that the scenario
made, and what the two answers show without a picture (size, step count), say which field is to blame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import GenerationStream, generation
from local_dream_conformance.evidence.image_compare import alike, unlikeness
from local_dream_conformance.evidence.selectors import fields, outcome, picture, size

SHOWN_ELSEWHERE = ("show_diffusion_process", "show_diffusion_stride", "seed")
"""Fields whose default does not show in the picture of a known seed: each has a check of its own."""
PAINTED = {
    field.ids["default"]: name
    for name, field in documented().items()
    if "default" in field.ids and name not in SHOWN_ELSEWHERE
}
"""Fields whose default shows in the picture, by the requirement that speaks of it."""
PAINTED_FIELDS = frozenset(PAINTED.values())
LEFT_OUT, EXPLICIT, BISECTIONS = "defaults/absent", "defaults/explicit", "defaults/bisect-"


@dataclass(frozen=True)
class Blame:
    """Fields that are to blame, and those of which nothing can be said since another one hides them."""

    guilty: tuple[str, ...]
    unclear: tuple[str, ...] = ()
    got: str = ""
    refusal: str | None = None


@dataclass(frozen=True)
class DefaultPair:
    """Everything left out, everything sent, and the runs between them with the fields that these sent."""

    absent: GenerationStream
    explicit: GenerationStream
    bisections: tuple[tuple[GenerationStream, frozenset[str]], ...]

    @staticmethod
    def of(context: Context) -> DefaultPair:
        absent, explicit = generation(context[LEFT_OUT]), generation(context[EXPLICIT])
        if picture(absent) is None:
            raise MissingEvidence(f"{LEFT_OUT} came to no picture: {outcome(absent.exchange)}")
        picked, sent = reported_seed(absent), fields(explicit.exchange.request).get("seed")
        if fields(absent.exchange.request).get("seed", picked) != sent:
            raise MissingEvidence(f"{LEFT_OUT} reported the seed {picked}, {EXPLICIT} sent {sent}")
        return DefaultPair(absent, explicit, tuple(_bisections(context)))

    def must_differ_in(self, field: str) -> None:
        """Raises MissingEvidence where the pair proves nothing of a field."""
        if field in fields(self.absent.exchange.request) or field not in fields(self.explicit.exchange.request):
            raise MissingEvidence(f"{LEFT_OUT} and {EXPLICIT} do not differ in whether {field} was sent")

    def blame(self) -> Blame:
        """Which defaults are not as written, as far as it can be told."""
        if alike(self.absent, self.explicit):
            # A few steps more or less may not show in a picture, but servers count them.
            counted = _total(self.absent) != _total(self.explicit) and self._differs_in("steps")
            return Blame(("steps",) if counted else (), (), self._difference())
        suspects = tuple(field for field in PAINTED.values() if self._differs_in(field) and not self._cleared(field))
        if not suspects and self.images_differ() and not self._cleared("image"):
            return Blame(())
        if picture(self.explicit) is None:
            said = outcome(self.explicit.exchange)
            named = tuple(field for field in suspects if field in said)
            return Blame(named or suspects, (), f"with every default sent: {escape(said)}", said)
        shown = tuple(field for field in self._shown() if field in suspects)
        return Blame(shown or suspects, suspects if shown else (), self._difference())

    def _differs_in(self, field: str) -> bool:
        return field in fields(self.explicit.exchange.request) and field not in fields(self.absent.exchange.request)

    def images_differ(self) -> bool:
        """Whether the two runs have their image in different files, although of the same pixels."""
        one, other = (fields(run.exchange.request).get("image") for run in (self.absent, self.explicit))
        return one != other

    def _cleared(self, field: str) -> bool:
        """Whether a bisection shows that a field makes no difference: it does not where sending it changed nothing."""
        return any(
            alike(self.absent, run) if field in sent else alike(self.explicit, run) for run, sent in self.bisections
        )

    def _shown(self) -> Iterator[str]:
        """The fields that the two answers show to have another default without a look at the pictures."""
        one, other = size(self.absent) or (0, 0), size(self.explicit) or (0, 0)
        if one[0] != other[0]:
            yield "width"
        if one[1] != other[1]:
            yield "height"
        if _total(self.absent) != _total(self.explicit):
            yield from ("steps", "denoise_strength")  # servers count only the steps that the strength leaves

    def _difference(self) -> str:
        if size(self.absent) != size(self.explicit):
            return unlikeness(self.explicit, self.absent)
        totals = _total(self.absent), _total(self.explicit)
        steps = f" and total_steps {totals[0]} instead of {totals[1]}" if totals[0] != totals[1] else ""
        if alike(self.absent, self.explicit):
            return f"the same picture{steps}"
        return f"another picture (PSNR {unlikeness(self.explicit, self.absent).removeprefix('PSNR ')}){steps}"


def _bisections(context: Context) -> Iterator[tuple[GenerationStream, frozenset[str]]]:
    for label in context.exchanges:
        if label.startswith(BISECTIONS) and generation(context[label]).complete is not None:
            run = generation(context[label])
            explicit = dict(run.exchange.notes).get("explicit", "").split()
            yield run, frozenset(fields(run.exchange.request)) - {"image"} | ({"image"} & set(explicit))


def _total(stream: GenerationStream) -> int | None:
    """total_steps in the last progress event."""
    return stream.progress[-1].total_steps if stream.progress else None


def reported_seed(stream: GenerationStream) -> int | None:
    """The seed in complete."""
    return integer(stream.complete.payload.get("seed")) if stream.complete else None
