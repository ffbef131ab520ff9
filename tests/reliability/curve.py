"""A curve of memory as a picture: SVG, from zero up."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 34
"""Margins, in pixels."""
LINES = 4
"""Horizontal lines above the one at zero."""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<title>{title}</title>
<rect width="{width}" height="{height}" fill="#ffffff"/>
{grid}
<polyline points="{points}" fill="none" stroke="#0b6e4f" stroke-width="2" stroke-linejoin="round"/>
<g fill="#333333">
{labels}
</g>
</svg>
"""


def svg(title: str, values: Sequence[int], seconds: float) -> str:
    """Memory in MiB, measured at equal intervals over so many seconds."""
    most = _round_up(max(values, default=1))
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    points = [
        f"{LEFT + across * place / max(1, len(values) - 1):.1f},{TOP + up * (1 - value / most):.1f}"
        for place, value in enumerate(values)
    ]
    grid, labels = [], []
    for line in range(LINES + 1):
        at = TOP + up * (1 - line / LINES)
        grid.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        labels.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{most * line // LINES} MiB</text>')
    foot = HEIGHT - BOTTOM + 20
    labels.append(f'<text x="{LEFT}" y="{foot}">0 s</text>')
    labels.append(f'<text x="{WIDTH - RIGHT}" y="{foot}" text-anchor="end">{seconds:.0f} s</text>')
    return SVG.format(
        width=WIDTH,
        height=HEIGHT,
        title=title,
        grid="\n".join(grid),
        points=" ".join(points),
        labels="\n".join(labels),
    )


def _round_up(most: int) -> int:
    """To one that a scale of LINES lines can be written of."""
    step = next(step for step in (4, 20, 40, 100, 200, 400, 1000, 4000, 1 << 30) if most <= 10 * step)
    return -(-max(most, 1) // step) * step
