"""Which extensions the releases have: data for docs/extensions.md, with the recorded answers that show it.

`python -m tests.releases.extensions` writes the table anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.releases.answer import Answer

PAGE = Path(__file__).parents[2] / "docs" / "extensions.md"
BEGIN, END = "<!-- table of extensions, by python -m tests.releases.extensions -->\n", "<!-- end of the table -->\n"
RELEASES = ("local-dream-2.4.3", "local-dream-2.7", "local-dream-2.8.1")
ODD, FIRST = "odd-requests", "recordings"

Shows = Callable[[Answer], bool]


@dataclass(frozen=True)
class Cell:
    """What a release has of an extension. `shows` says by which recorded answer that is known ("" and always true:
    by its source code alone)."""

    text: str
    has: bool
    by: str = ""
    shows: Shows = bool


@dataclass(frozen=True)
class Row:
    """An extension."""

    name: str
    adds: str
    releases: tuple[Cell, Cell, Cell]
    mock: str = "yes"
    reference: str = "yes"


def status(code: int) -> Shows:
    return lambda answer: bool(answer["status"] == code)


def told(words: str) -> Shows:
    return lambda answer: words in answer.get("body", "")


def in_complete(key: str, there: bool) -> Shows:
    """Whether the last event has a value."""
    return lambda answer: (key in dict(answer["events"][-1][1])) is there


PNG = f"{FIRST}/txt2img-output-png"
RAW = f"{ODD}/accept-gzip"
PREFLIGHT = f"{ODD}/options-generate"
SIZE = f"{ODD}/size-string"
TOKENS = f"{ODD}/tokenize"
ULTRAFIX = f"{ODD}/ultrafix-true"
EVERY_FORMAT = Cell("yes, `format` also where nobody asked", has=True, by=RAW, shows=in_complete("format", True))
SIZED = Cell("yes, but in SDXL mode", has=True, by=SIZE, shows=status(500))
COUNTED = Cell("yes", has=True, by=TOKENS, shows=told('"overflow_offset":'))
NARROW = Cell("yes, but it allows only Content-Type and Authorization", has=True, by=PREFLIGHT, shows=status(204))
SDXL_SHAPES = Cell("in SDXL mode", has=False)
ALL_SCHEDULERS = Cell("all; others silently mean dpm, as upstream documents", has=True)
WEIGHTS = Cell("yes; a written weight counts 1.1 times, since its bracket does", has=True)
REFINES = Cell(
    "yes, from 512 pixels (SDXL 1024) to 8192, without previews; not in MNN mode",
    has=True,
    by=ULTRAFIX,
    shows=told("ultrafix requires 'image'"),
)
EDITS_NOT = Cell("no: ignored; releases after 2.8.1 have it, and refuse it where the model does not edit", has=False)
NOT_BUSY = Cell("no", has=False)
UPSCALER = Cell("its upscaler mode", has=False)

ROWS = (
    Row(
        "formats",
        "`output_format`, `preview_format`: raw, jpeg, png; `format` beside each picture",
        (Cell("no", has=False, by=PNG, shows=in_complete("format", False)), EVERY_FORMAT, EVERY_FORMAT),
    ),
    Row(
        "size",
        "one integer for both sides; overrides `width` and `height`",
        (SIZED, SIZED, SIZED),
    ),
    Row(
        "aspect_ratio",
        '`"16:9"`: the longer side stays, the shorter one follows, rounded down to a multiple of 8',
        (Cell("no", has=False), SDXL_SHAPES, SDXL_SHAPES),
    ),
    Row(
        "schedulers",
        "dpm_karras, euler, euler_karras, euler_a_karras, lcm, dpm_sde, dpm_sde_karras; `eulera` is euler_a",
        (
            Cell("lcm and `eulera`; others silently mean dpm, as upstream documents", has=True),
            ALL_SCHEDULERS,
            ALL_SCHEDULERS,
        ),
    ),
    Row(
        "prompt_weights",
        "`(word:1.3)`, `(word)` (1.1 times), `[word]` (0.9 times); /tokenize counts without them",
        (WEIGHTS, WEIGHTS, WEIGHTS),
    ),
    Row(
        "ultrafix",
        "`ultrafix`, `tile_size`: `image` refined tile by tile",
        (Cell("no: ignored", has=False), REFINES, REFINES),
        reference="yes",
    ),
    Row(
        "reference_images",
        "pictures as base64 that the generation follows",
        (EDITS_NOT, EDITS_NOT, EDITS_NOT),
        reference="no: refused, its models edit after none",
    ),
    Row(
        "tokenize",
        "POST /tokenize: `count`, `max_length`, `overflow_offset` in UTF-16 code units, -1 where all fits",
        (
            Cell(
                "yes, without `overflow_offset`; in upscaler mode every prompt has 2 tokens",
                has=True,
                by=TOKENS,
                shows=lambda answer: answer["body"] == '{"count":5,"max_length":77}',
            ),
            COUNTED,
            COUNTED,
        ),
        reference="yes, the model's own tokenizer",
    ),
    Row(
        "cors",
        "preflights 204, every answer readable by pages of every origin",
        (Cell("no preflights", has=False, by=PREFLIGHT, shows=status(404)), NARROW, NARROW),
        mock="`--cors`",
        reference="`--cors`",
    ),
    Row(
        "control",
        "GET /info, /models, /status, POST /select, /stop on a port of their own: another device chooses what runs",
        (Cell("no", has=False), Cell("no", has=False), Cell("yes, at port 8808, while its host mode is on", has=True)),
        mock="`--control-port`",
        reference="`--control-port`",
    ),
    Row(
        "busy",
        "a second generation is refused with 503 and `Retry-After`",
        (NOT_BUSY, NOT_BUSY, NOT_BUSY),
        mock="`--busy`",
        reference="`--busy`",
    ),
    Row(
        "upscaler-only",
        "/health and /upscale alone, /generate 404",
        (Cell("no: its upscaler mode has /generate (200 and an error event)", has=False), UPSCALER, UPSCALER),
        mock="`--no-generate`",
        reference="`--no-generate`",
    ),
)


def table() -> Iterator[str]:
    """The lines of the table."""
    yield "| extension | what it adds | 2.4.3 | 2.7 | 2.8.1 | mock | reference |\n"
    yield "|---|---|---|---|---|---|---|\n"
    for row in ROWS:
        cells = [row.name, row.adds, *(cell.text for cell in row.releases), row.mock, row.reference]
        yield f"| {' | '.join(cells)} |\n"


def written(page: str) -> str:
    """The page with the table as the data say."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "".join(table()) + END + rest.partition(END)[2]


def by_release() -> Mapping[str, dict[str, Cell]]:
    """What each release has, by extension."""
    return {release: {row.name: row.releases[place] for row in ROWS} for place, release in enumerate(RELEASES)}


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
