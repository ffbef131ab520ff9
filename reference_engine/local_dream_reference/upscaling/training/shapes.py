"""Outlines of leaves, blades and strokes, as lists of (x, y) points for Pillow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.float64]


def rotated(points: Outline, angle: float) -> Outline:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cos, sin], [-sin, cos]]), np.float64)


def ellipse(rng: np.random.Generator, radius: float) -> Outline:
    corners = int(np.clip(radius, 10, 48))
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    flatness = rng.uniform(0.3, 1.0)
    points = np.column_stack([np.cos(turn), np.sin(turn) * flatness]) * radius
    return rotated(points, rng.uniform(0, np.pi))


def polygon(rng: np.random.Generator, radius: float) -> Outline:
    corners = int(rng.integers(3, 9))
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = radius * rng.uniform(0.4, 1.2, corners)
    return np.column_stack([np.cos(turn) * reach, np.sin(turn) * reach])


def bar(rng: np.random.Generator, radius: float) -> Outline:
    half = np.array([radius, radius * np.exp(rng.uniform(np.log(0.05), 0))])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    # Built things stand upright far more often than chance would have it.
    angle = 0.0 if rng.random() < 0.3 else rng.uniform(0, np.pi)
    return rotated(corners, angle)


def pebble(rng: np.random.Generator, radius: float) -> Outline:
    """A smooth closed curve of a few harmonics."""
    corners = int(np.clip(radius * 2, 16, 72))
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = np.ones(corners)
    for harmonic in range(2, 6):
        reach += rng.normal(0, 0.35 / harmonic) * np.cos(harmonic * turn + rng.uniform(0, 6.3))
    return np.column_stack([np.cos(turn), np.sin(turn)]) * (np.abs(reach) * radius)[:, None]


def random_outline(rng: np.random.Generator, radius: float) -> Outline:
    """One outline round the origin whose reach is about ``radius`` pixels."""
    kind = rng.random()
    if kind < 0.35:
        return ellipse(rng, radius)
    if kind < 0.6:
        return polygon(rng, radius)
    if kind < 0.8:
        return bar(rng, radius)
    return pebble(rng, radius)


def curve(start: Outline, bend: Outline, end: Outline, points: int = 12) -> Outline:
    """A quadratic Bezier curve, shape (points, 2)."""
    t = np.linspace(0, 1, points)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end


def blade(path: Outline, width: float) -> Outline:
    """A stroke along ``path`` that thins out to its tip: hair, grass, whiskers."""
    step = np.gradient(path, axis=0)
    normal = np.column_stack([-step[:, 1], step[:, 0]])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    half = (np.linspace(1, 0.1, len(path)) * width / 2)[:, None]
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]])
