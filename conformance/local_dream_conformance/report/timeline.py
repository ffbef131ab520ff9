"""The timeline of an exchange: what came when, as marks on a line and as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.evidence.generation import GenerationEvent, Kind, generation

MARKS = 200
"""Most marks on a timeline; of more, every n-th is drawn."""
ROWS = 80
"""Most rows of a table; the middle of a longer one is left out."""
WHOLE = (End.COMPLETE, End.EOF)


@dataclass(frozen=True)
class Mark:
    """Something that came `at` seconds after the request began; `x` is its place in percent of the strip."""

    at: float
    x: float
    kind: str
    text: str


@dataclass(frozen=True)
class Timeline:
    """`duration` in seconds. `ticks` are (x in percent, label). `left_out` counts the rows that the table lacks."""

    duration: float
    marks: tuple[Mark, ...]
    rows: tuple[Mark, ...]
    left_out: int
    ticks: tuple[tuple[float, str], ...]
    whole: bool
    summary: str


def of(exchange: Exchange) -> Timeline:
    """The timeline of an exchange."""
    duration = max(exchange.ended_at, 1e-6)
    marks = [
        Mark(at, round(100 * min(max(at, 0.0), duration) / duration, 2), kind, text)
        for at, kind, text in sorted(_happened(exchange), key=lambda happened: happened[0])
    ]
    events = len(generation(exchange).events)
    told = f"{events} {'event' if events == 1 else 'events'} in" if events else "over after"
    return Timeline(
        duration,
        marks=tuple(_thinned(marks)),
        rows=tuple(marks if len(marks) <= ROWS else marks[: ROWS // 2] + marks[-ROWS // 2 :]),
        left_out=max(0, len(marks) - ROWS),
        ticks=tuple(_ticks(duration)),
        whole=exchange.end in WHOLE,
        summary=f"{told} {seconds(exchange.ended_at)}",
    )


def seconds(value: float) -> str:
    """A time as people read it."""
    if value < 0.0995:
        return f"{value * 1000:.3g} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def _happened(exchange: Exchange) -> Iterator[tuple[float, str, str]]:
    """(second, kind, text) of everything that happened in an exchange."""
    if exchange.head_at is not None:
        yield exchange.head_at, "head", f"answer begins: {exchange.status} {escape(exchange.reason, 60)}".rstrip()
    stream = generation(exchange)
    for event in stream.events:
        yield event.at, _kind(event), _text(event)
    if not stream.events and exchange.reads:
        size = f"{exchange.size} {'byte' if exchange.size == 1 else 'bytes'}"
        yield exchange.reads[-1].at, "body", f"{size} of body have come"
    ended = "answer ends" if exchange.end in WHOLE else f"ended: {exchange.end}"
    if exchange.end is End.HUNG_UP:
        ended = "we hung up"
    yield exchange.ended_at, "end", ended + (f", {escape(exchange.detail, 200)}" if exchange.detail else "")


def _kind(event: GenerationEvent) -> str:
    if event.kind is Kind.PROGRESS:
        return "preview" if event.payload.get("image") is not None else "progress"
    return {Kind.COMPLETE: "complete", Kind.ERROR: "error"}.get(event.kind, "other")


def _text(event: GenerationEvent) -> str:
    name = escape(event.name, 40) or "unnamed event"
    if not event.payload:
        return f"{name}: {escape(event.sse.data, 80)}"
    if event.kind is Kind.PROGRESS:
        step, total = (escape(str(event.payload.get(key)), 20) for key in ("step", "total_steps"))
        return f"{name}: step {step} of {total}" + (", with a picture" if event.payload.get("image") else "")
    shown = [f"{key} {value}" for key, value in event.payload.items() if key not in ("type", "image")]
    return f"{name}: " + ", ".join(escape(part, 150) for part in shown[:8])


def _thinned(marks: list[Mark]) -> list[Mark]:
    if len(marks) <= MARKS:
        return marks
    usual = [mark for mark in marks if mark.kind in ("progress", "preview", "other")]
    step = math.ceil(len(usual) / MARKS)
    kept = {id(mark) for mark in usual[::step]}
    kept |= {id(mark) for mark in [mark for mark in marks if mark.kind not in ("progress", "preview", "other")][:MARKS]}
    return [mark for mark in marks if id(mark) in kept]


def _ticks(duration: float) -> Iterator[tuple[float, str]]:
    """Up to six round times along the line, the last not so near to its end that the labels would touch."""
    rough = duration / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    for number in range(math.floor(0.88 * duration / step) + 1):
        at = number * step
        yield round(100 * at / duration, 2), f"{at * 1000:.4g} ms" if duration < 1 else f"{at:.4g} s"
