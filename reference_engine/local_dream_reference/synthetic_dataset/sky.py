"""Sky, sun, moon, stars, clouds, rainbow: everything above the horizon that is not a thing."""

from __future__ import annotations

import numpy as np

from local_dream_reference.synthetic_dataset.canvas import Canvas
from local_dream_reference.synthetic_dataset.palette import COVER, RGB, SKY, mix, shade
from local_dream_reference.synthetic_dataset.scene import Scene

RAINBOW: tuple[RGB, ...] = (
    (235, 70, 70), (250, 155, 60), (252, 228, 90), (96, 200, 110), (72, 140, 235), (150, 92, 210),
)  # fmt: skip


def paint_sky(canvas: Canvas, scene: Scene, horizon: float, rng: np.random.Generator) -> None:
    """Paint the sky down to a little below ``horizon``."""
    cover, share = COVER[scene.weather]
    if scene.time == "night":
        cover = shade(cover, 0.34)
    elif scene.time == "sunset":
        cover, share = mix(cover, (214, 122, 104), 0.45), share * 0.8
    stops = [mix(stop, cover, share) for stop in SKY[scene.time]]
    canvas.gradient(stops, 0.0, horizon + 0.06, bands=6 if scene.style == "poster" else 0)
    if scene.time == "night" and scene.weather in ("clear", "cloudy"):
        _stars(canvas, horizon, rng)
    if scene.light != "none":
        _sun_or_moon(canvas, scene, horizon, rng)
    if scene.weather == "rainbow":
        _rainbow(canvas, horizon, rng)
    if scene.weather in ("cloudy", "rain"):
        _clouds(canvas, scene, rng)


def _stars(canvas: Canvas, horizon: float, rng: np.random.Generator) -> None:
    for _ in range(int(34 * canvas.aspect)):
        x, y = rng.uniform(0, canvas.aspect), rng.uniform(0, horizon * 0.9)
        radius = rng.choice([0.003, 0.0045, 0.007], p=[0.5, 0.35, 0.15])
        canvas.ellipse(x, y, radius, radius, (250, 246, 214))


def _sun_or_moon(canvas: Canvas, scene: Scene, horizon: float, rng: np.random.Generator) -> None:
    x = canvas.aspect * (0.2 if scene.light == "left" else 0.8) + rng.uniform(-0.03, 0.03)
    y, radius = rng.uniform(0.15, 0.2), 0.075
    glow: RGB = (255, 244, 190)
    paint: RGB = (255, 226, 84)
    if scene.time == "sunset":
        y, radius = rng.uniform(0.2, 0.26), 0.1
        glow, paint = (255, 190, 120), (255, 150, 62)
    elif scene.time == "night":
        glow, paint = (190, 206, 255), (246, 244, 224)
    mesh_x, mesh_y = canvas.mesh()
    distance = np.hypot(mesh_x - x, mesh_y - y)
    canvas.veil(0.55 * np.exp(-((distance / (radius * 2.1)) ** 2)), glow)
    canvas.ellipse(x, y, radius, radius, paint)
    if scene.time == "night":
        for dx, dy, size in ((-0.3, -0.25, 0.22), (0.3, 0.1, 0.28), (-0.15, 0.45, 0.16)):
            canvas.ellipse(x + dx * radius, y + dy * radius, size * radius, size * radius, (218, 216, 198))


def _rainbow(canvas: Canvas, horizon: float, rng: np.random.Generator) -> None:
    centre, middle = canvas.aspect * 0.5 + rng.uniform(-0.05, 0.05), horizon + 0.08
    outer, band = 0.5 + rng.uniform(-0.02, 0.02), 0.02
    for index, paint in enumerate(RAINBOW):
        angles = np.linspace(np.pi, 2 * np.pi, 40)
        radius = outer - (index + 0.5) * band
        canvas.line([(centre + radius * np.cos(a), middle + radius * np.sin(a)) for a in angles], paint, band * 1.05)


def _clouds(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    rain = scene.weather == "rain"
    paint: RGB = (104, 112, 130) if rain else (250, 250, 252)
    if scene.time == "sunset":
        paint = mix(paint, (250, 160, 150), 0.4)
    elif scene.time == "night":
        paint = mix(paint, (48, 58, 96), 0.66)
    count = round((6 if rain else 4) * max(1.0, canvas.aspect))
    for index in range(count):
        x = canvas.aspect * (index + 0.5) / count + rng.uniform(-0.06, 0.06)
        y = rng.uniform(0.03, 0.11) if rain else rng.uniform(0.08, 0.33)
        # A sun that the caption names has to be seen: clouds pass below it.
        if scene.light != "none" and abs(x / canvas.aspect - (0.2 if scene.light == "left" else 0.8)) < 0.17:
            y = 0.34
        _cloud(canvas, x, y, rng.uniform(0.085, 0.11) * (1.15 if rain else 1.0), paint)


def _cloud(canvas: Canvas, x: float, y: float, size: float, paint: RGB) -> None:
    puffs = ((-1.1, 0.15, 0.5), (-0.45, -0.2, 0.68), (0.35, -0.3, 0.78), (1.05, 0.1, 0.56))
    for offset, colour in ((0.14, shade(paint, 0.86)), (0.0, paint)):
        for dx, dy, radius in puffs:
            canvas.ellipse(x + dx * size, y + (dy + offset) * size, radius * size, radius * size * 0.8, colour)
        canvas.rectangle(
            x - 1.2 * size, y + (0.05 + offset) * size, x + 1.2 * size, y + (0.5 + offset) * size, colour, 0.2 * size
        )
