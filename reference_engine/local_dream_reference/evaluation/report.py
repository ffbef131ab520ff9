"""The figures as Markdown: what the command prints and what the model card holds."""

from __future__ import annotations

from local_dream_reference.evaluation.adherence import Adherence
from local_dream_reference.evaluation.cost import Cost
from local_dream_reference.evaluation.edits import Edits


def adherence_table(result: Adherence, count: int) -> str:
    """One row per attribute."""
    cfgs = list(result.by_cfg)
    names = list(dict.fromkeys(name for table in result.by_cfg.values() for name in table if name != "all"))
    head = [
        "shown in the picture",
        *(f"cfg {cfg:g}" for cfg in cfgs),
        "pixel test",
        "judge on drawings",
        "pixel test on drawings",
    ]
    rows = [head, ["---"] * len(head)]
    for name in [*names, "all"]:
        cells = [_share(table.get(name)) for table in result.by_cfg.values()]
        others = [_share(table.get(name)) for table in (result.pixels, result.judge, result.pixels_on_drawings)]
        rows.append([name, *cells, *others])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return (
        f"{count} prompts of combinations that training never showed; shares of those that asked for the attribute.\n\n"
        + "\n".join(lines)
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def edits_list(result: Edits) -> str:
    """One line per measurement."""
    distances = ", ".join(f"{strength:g}: {value:.1f}" for strength, value in result.distances.items())
    return "\n".join(
        [
            f"- Negative prompt removes what it names: {_share(result.removed)} of {result.removed_of} pictures.",
            f"- Mean difference to the input picture (of 255) by denoise_strength: {distances}; "
            f"growing at every strength for {_share(result.monotone)} of the pictures.",
            f"- Inpainting: at most {result.kept:.2f}/255 mean difference outside the mask, "
            f"{result.changed:.1f}/255 inside.",
        ]
    )


def cost_list(result: Cost, device: str, side: int) -> str:
    """One line per measurement."""
    return "\n".join(
        [
            f"- {side}x{side}, 20 steps, cfg 7.5 on {device}, {result.threads} threads: {result.whole:.2f} s "
            f"(first step with text {result.first_step:.2f} s, each further step {result.each_step:.3f} s, "
            f"decode {result.decode:.2f} s).",
            f"- Greatest resident memory of the process: {result.memory:.0f} MiB. "
            f"Weights: {result.weights / 1e6:.1f} MB.",
        ]
    )
