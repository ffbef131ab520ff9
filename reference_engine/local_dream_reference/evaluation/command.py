"""The evaluation command."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import click

from local_dream_reference.engine import ReferenceEngine, build
from local_dream_reference.errors import UnusableModel
from local_dream_reference.options import Options


@click.command(context_settings={"show_default": True})
@click.option("--model", default="default", help="The shipped model, or a folder that the training exported.")
@click.option("--count", type=click.IntRange(min=1), default=200, help="Held-out prompts.")
@click.option(
    "--edits", type=click.IntRange(min=0), default=40, help="Negative prompts; a quarter as many input pictures."
)
@click.option("--steps", type=click.IntRange(min=1), default=20)
@click.option("--device", default="auto", help="auto, cpu or cuda.")
@click.option("--dtype", default="auto", help="auto, float32, bfloat16 or float16.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads [default: all that may be used].")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Also write the figures there."
)
@click.option("--card", is_flag=True, help="Also write the figures and a sheet of samples into the model card.")
def main(
    model: str,
    count: int,
    edits: int,
    steps: int,
    device: str,
    dtype: str,
    threads: int | None,
    json_path: Path | None,
    card: bool,
) -> None:
    """Measure how well the model does what it is asked, and print the table."""
    started = time.perf_counter()
    try:
        engine = build(Options(model=model, device=device, dtype=dtype, threads=threads))
    except UnusableModel as error:
        raise click.ClickException(str(error)) from error
    loading = time.perf_counter() - started
    # torch and diffusers come with these: after the options have been read.
    from local_dream_reference.shipped import SHIPPED
    from local_dream_reference.training.export import JUDGE_FILE

    folder = SHIPPED if model == "default" else Path(model)
    if not (folder / JUDGE_FILE).is_file():
        raise click.ClickException(
            f"{model}: there is no {JUDGE_FILE} beside the model; only exported models can be judged"
        )
    text, figures = _measure(engine, folder, count, edits, steps)
    text += f"\n- Loading the engine: {loading:.1f} s."
    click.echo(text)
    if json_path is not None:
        json_path.write_text(json.dumps(figures | {"loading": loading}, indent=2) + "\n")
    if card:
        from local_dream_reference.evaluation.sheet import SHEET, draw_sheet
        from local_dream_reference.model_card import fill

        draw_sheet(engine, folder / SHEET)
        sheet = f"![Samples of held-out combinations]({SHEET})"
        card_path = fill(folder, "evaluation", f"{text}\n\n{sheet}")
        click.echo(f"written into {card_path}")


def _measure(
    engine: ReferenceEngine, folder: Path, count: int, edits: int, steps: int
) -> tuple[str, dict[str, object]]:
    from local_dream_reference.evaluation.adherence import measure_adherence
    from local_dream_reference.evaluation.cost import measure_cost
    from local_dream_reference.evaluation.edits import measure_edits
    from local_dream_reference.evaluation.report import adherence_table, cost_list, edits_list
    from local_dream_reference.training.export import JUDGE_FILE, read_judge

    judge = read_judge(folder / JUDGE_FILE)
    about = engine.describe()
    adherence = measure_adherence(engine, judge, count=count, steps=steps)
    parts, figures = [adherence_table(adherence, count)], {"adherence": dataclasses.asdict(adherence)}
    if edits:
        edited = measure_edits(engine, judge, count=edits, steps=steps)
        parts.append(edits_list(edited))
        figures["edits"] = dataclasses.asdict(edited)
    cost = measure_cost(engine, folder, steps=steps)
    parts.append(cost_list(cost, about.device, about.native_size))
    return "\n\n".join(parts), figures | {"cost": dataclasses.asdict(cost)}
