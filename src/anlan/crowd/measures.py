"""The field's own measures: level of service, and the speed of walking in a crowd."""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FREE_SPEED = 1.34
"""Walking speed of a pedestrian alone, m/s (Weidmann 1993)."""
JAM_DENSITY = 5.4
"""Density at which walking ends, 1/m² (Weidmann 1993)."""
_SHAPE = 1.913

# Fruin 1971, walkways: at least 3.25, 2.32, 1.39, 0.93, 0.46 m² for each pedestrian.
_LEVELS = ((1 / 3.25, "A"), (1 / 2.32, "B"), (1 / 1.39, "C"), (1 / 0.93, "D"), (1 / 0.46, "E"))


def level_of_service(density_per_m2: float) -> str:
    """Return the comfort class of a walkway, A (free) to F (jammed).

    Parameters
    ----------
    density_per_m2 : float
        People per square metre of walkable ground.

    References
    ----------
    J. J. Fruin, *Pedestrian Planning and Design*, 1971: walkway classes by area per pedestrian.

    Examples
    --------
    >>> [level_of_service(d) for d in (0.1, 0.4, 0.7, 1.0, 2.0, 4.0)]
    ['A', 'B', 'C', 'D', 'E', 'F']
    """
    return next((letter for limit, letter in _LEVELS if density_per_m2 <= limit), "F")


@overload
def walking_speed(density_per_m2: float) -> float: ...
@overload
def walking_speed(density_per_m2: Floats) -> Floats: ...
def walking_speed(density_per_m2: float | Floats) -> float | Floats:
    r"""Return the mean speed of walkers at a density, m/s.

    .. math:: v(\rho) = v_0 (1 - e^{-\gamma (1/\rho - 1/\rho_{max})})

    with :math:`v_0 = 1.34` m/s, :math:`\gamma = 1.913` 1/m², :math:`\rho_{max} = 5.4` 1/m². Where we differ: it never
    falls below 0.02 m/s, because a jam still creeps, and its logarithm is needed.

    References
    ----------
    U. Weidmann, *Transporttechnik der Fussgänger*, ETH Zürich, 1993.

    Examples
    --------
    >>> round(walking_speed(0.0), 2), round(walking_speed(2.0), 2), round(walking_speed(9.0), 2)
    (1.34, 0.61, 0.02)
    """
    density = np.clip(density_per_m2, 1e-3, JAM_DENSITY)
    speed = np.maximum(FREE_SPEED * (1 - np.exp(-_SHAPE * (1 / density - 1 / JAM_DENSITY))), 0.02)
    return speed if isinstance(density_per_m2, np.ndarray) else float(speed)
