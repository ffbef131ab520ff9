"""docs/write-a-server: every requirement with an exchange that holds it and one that breaks it, in chapters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local_dream_conformance.core.contract import Requirement
from local_dream_conformance.core.extension import CONTROL
from local_dream_conformance.run.suite import Suite
from tests.site import wire
from tests.site.exchanges import Pair, Pairs

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "write-a-server"
MADE = (
    "<!-- Made by `python -m tests.site` from runs against the mock server: edit the chapters there, not this. "
    "Times of a machine are left out, or stand for others of their kind. -->"
)


MOST = 200
"""Characters of a finding that are shown."""


@dataclass(frozen=True)
class Chapter:
    """Some of the files of checks, under a title, with what a server's author should know first."""

    name: str
    title: str
    files: tuple[str, ...]
    head: str


CHAPTERS = (
    Chapter(
        "health-and-errors",
        "Health and errors",
        ("health.py", "errors.py", "server.py", "survival.py"),
        "Begin here: a route that says that the server lives, one shape for everything that goes wrong, and no request "
        "that ends the process. Whatever else fails later is then seen as what it is. Catch every exception at the "
        "outermost layer; a client's mistake is 400 `request_error`, your own is 500 `server_error`.",
    ),
    Chapter(
        "requests",
        "Requests to /generate",
        ("generate_request.py", "accepted_forms.py", "generate_types.py", "generate_ranges.py", "generate_defaults.py"),
        "Read the body once, as bytes; parse it; check each field against the contract's types before anything is "
        "computed, so that a refusal is a plain answer with a status and not an event in a stream that has begun. Take "
        "every form that the contract allows, ignore fields that you do not know, and let `null` mean absent where it "
        "says so.",
    ),
    Chapter(
        "stream",
        "The event stream",
        ("generate_sse.py", "generate_progress.py", "generate_timing.py", "generate_previews.py", "generate_ending.py"),
        "An accepted request is answered at once with `text/event-stream`, and every event is sent when it happens: "
        "flush after each, and switch off what buffers (proxies, compression, frameworks that collect a body). Each "
        "stream has one end, `complete` or `error`, and then the connection is over.",
    ),
    Chapter(
        "pictures",
        "Pictures",
        ("generate_pictures.py", "generate_dependence.py"),
        "Pictures travel as base64 of raw RGB, row by row from the top left, three bytes a pixel. Here the usual slips "
        "are BGR, rows and columns swapped where the picture is not square, a mask scaled by another filter than the "
        "image, a seed cut to fewer bits.",
    ),
    Chapter(
        "robustness",
        "Under way together",
        ("robustness.py",),
        "A phone has one accelerator. Whether a second request waits or is refused with 503 is yours to choose; that "
        "neither disturbs the other is not. A client that hangs up frees the accelerator at the next step.",
    ),
    Chapter(
        "upscale",
        "Upscaling",
        ("upscale_request.py", "upscale_answer.py"),
        "The body is the picture itself: width * height * 3 bytes, with the sizes in headers. The answer is a JPEG of "
        "four times the size. Check the length before you read it all.",
    ),
)
EXTENSIONS = Chapter(
    "extensions",
    "Extensions",
    (),
    "None of these has to be there. Where one is, this is what it means; [the extensions](../extensions.md) says who "
    "has which.",
)


def chapters(suite: Suite) -> dict[Chapter, list[Requirement]]:
    """The requirements of each chapter, in the order of the contract."""
    groups = suite.groups("all")
    named = {file for chapter in CHAPTERS for file in chapter.files}
    found = {chapter: [r for file in chapter.files for r in groups[file]] for chapter in CHAPTERS}
    return found | {EXTENSIONS: [r for file, group in groups.items() if file not in named for r in group]}


def page(chapter: Chapter, requirements: list[Requirement], pairs: Pairs) -> str:
    """A chapter's page."""
    lines = [f"# {chapter.title}", "", MADE, "", chapter.head, ""]
    for requirement in requirements:
        lines += section(requirement, pairs.of(requirement))
    return "\n".join(lines)


def section(requirement: Requirement, pair: Pair) -> Iterator[str]:
    """A requirement's part of its page."""
    yield f"## {requirement.id} {{ #{requirement.id.lower()} }}"
    yield ""
    yield f"**{requirement.level}**, {requirement.profile}. {requirement.text}"
    yield ""
    if requirement.clause:
        translated = f" — {requirement.translation}" if requirement.translation else ""
        yield f"> {requirement.clause}{translated}"
        yield ""
    timed = "time" in requirement.text or "Duration" in requirement.text
    if pair.right is not None:
        yield from _block("Right", pair.right.label, wire.text(pair.right, timed), "success")
    if pair.wrong is not None:
        finding = pair.wrong.finding
        yield from _block(
            f"Wrong: {pair.wrong.fault.sentence}", finding.exchange, wire.text(pair.wrong.exchange, timed), "failure"
        )
        said = (_code(wire.times(text, timed)) for text in (finding.expected, finding.got))
        yield "The suite says: expected {}, got {}.".format(*said)
        port = " --control-port 8808" if CONTROL in pair.wrong.fault.extensions else ""
        yield f"Try it: `local-dream mock{port} --fault {pair.wrong.fault.name}`."
        yield ""


def _block(title: str, label: str, text: str, kind: str) -> Iterator[str]:
    """A part that unfolds: details are plain HTML, which every Markdown viewer shows."""
    yield f'<details markdown="1" class="{kind}"><summary>{_escaped(title)} <small>{_escaped(label)}</small></summary>'
    yield ""
    yield "```http"
    yield text.replace("```", "` ` `")
    yield "```"
    yield ""
    yield "</details>"
    yield ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    shown = " ".join(text.split())
    return (
        f"`{shown[:200] + ('...' if len(shown) > 200 else '')}`".replace("``", "`") if "`" not in shown else shown[:200]
    )
