"""Smooth fields drawn at random: what differs from place to place and stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def waves(x: Floats, y: Floats, length_m: float, rng: np.random.Generator) -> Floats:
    """Return a smooth field of about unit spread: a few plane waves in random directions."""
    total = np.zeros(len(x))
    for _ in range(12):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        wave = 2 * np.pi / (length_m * rng.uniform(1, 3))
        total += np.cos(wave * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    return np.asarray(total / np.sqrt(6.0))
