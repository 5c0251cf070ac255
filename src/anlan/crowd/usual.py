"""What is to be expected before anything is observed: people in public space by the hour, and people at home."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from anlan.crowd.profile import OUTDOORS
from anlan.kernel.areas import AreaTree
from anlan.kernel.geo import Projection
from anlan.kernel.pack import Pack, Usual

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

LOOKS = 3.0
"""A number of a survey is taken for the mean of so many independent looks: who is there for minutes is seen again."""
KINDS_ALIKE = 0.5
"""Shape of the gamma distribution of a square's level about what is usual for ground of its kind: very wide."""
HOURS_ALIKE = 3.0
"""Shape of the same of an hour about the level of its square times the district's rhythm."""
LEAST = 1e-3
"""Persons to be expected in a cell at least, so that a log-ratio can lead anywhere."""


def usual_people(pack: Pack, x_m: Floats, y_m: Floats, expected: Floats) -> tuple[Indices, Floats]:
    r"""Return local hours, and the people usually in each cell at them.

    Without a survey, what ground of each kind lets expect, by one rhythm. With one, each square's numbers drawn to
    that: of :math:`n_{sk}` people in square :math:`s` at hour :math:`k`, seen with :math:`e` looks, and a first guess
    :math:`m_{sk}`,

    .. math:: \ell_s = \frac{a + e \sum_k n_{sk}}{a + e \sum_k m_{sk}}, \qquad
              u_{sk} = \ell_s m_{sk} \frac{b + e n_{sk}}{b + e \ell_s m_{sk}}

    the mean of a gamma distribution after Poisson counts, first of the square's level, then of each hour; a square in
    which nobody was seen at one hour is not empty for ever. Within a square people are spread as the first guess is.

    Parameters
    ----------
    pack : Pack
    x_m, y_m : float64, shape (n,)
        Centres of the cells.
    expected : float64, shape (n,)
        Persons to be expected at noon by the kind of ground.

    Returns
    -------
    hours : int64, shape (k,)
    usual : float64, shape (k, n)

    References
    ----------
    A. Gelman et al., *Bayesian Data Analysis*, 3rd ed., 2013, section 2.6 (Poisson counts with a gamma prior).
    """
    rhythm = np.array(OUTDOORS)
    if pack.usual is None:
        return np.arange(24), np.maximum(rhythm[:, None] * expected, LEAST)
    survey, hours = pack.usual, np.array(pack.usual.hours)
    square = _square_of(survey, pack.projection, x_m, y_m)
    inside = square >= 0
    first = np.bincount(square[inside], expected[inside], len(survey.lon))
    seen = np.nan_to_num(survey.persons.T) * (first > 0)
    looked = np.isfinite(survey.persons.T) & (first > 0)
    guess = np.where(looked, first, 0.0)
    guess = guess * (seen.sum(axis=1) / np.maximum(guess.sum(axis=1), LEAST))[:, None]
    level = (KINDS_ALIKE + LOOKS * seen.sum(axis=0)) / (KINDS_ALIKE + LOOKS * guess.sum(axis=0))
    total = seen.sum(axis=1) / np.maximum((looked * first).sum(axis=1), LEAST)
    usual = level * first * total[:, None]
    usual = np.where(looked, usual * (HOURS_ALIKE + LOOKS * seen) / (HOURS_ALIKE + LOOKS * usual), usual)
    ratio = np.divide(usual, first, out=np.zeros_like(usual), where=first > 0)
    return hours, np.maximum(expected * np.where(inside, ratio[:, square], total[:, None]), LEAST)


def _square_of(survey: Usual, plane: Projection, x_m: Floats, y_m: Floats) -> Indices:
    """Return the square of the survey in which each cell's centre lies, -1 for none."""
    at = np.column_stack(plane.to_metres(survey.lon, survey.lat))
    far, near = cKDTree(at).query(np.column_stack([x_m, y_m]), p=np.inf)
    return np.where(far <= survey.size_m[near] / 2 + 0.1, near, -1).astype(np.int64)


def people_at_home(areas: AreaTree, plane: Projection, x_m: Floats, y_m: Floats, houses: Floats) -> Floats | None:
    """Return the residents by cell, spread over the houses of the lowest area that tells how many it has.

    What an area has beyond those of its parts that tell their own is spread over the rest of it; None where no area
    tells any.

    Parameters
    ----------
    areas : AreaTree
    x_m, y_m : float64, shape (n,)
    houses : float64, shape (n,)
        Ground built up, in any unit.
    """
    lowest = np.full(len(x_m), -1, np.int64)
    told = [area for area in areas if area.residents is not None and area.polygon is not None]
    if not told:
        return None
    number = {area.area_id: k for k, area in enumerate(told)}
    for level in areas.levels:  # top first: what is lower takes its ground
        mine = [area for area in told if area.level == level.key]
        if not mine:
            continue
        tree = shapely.STRtree([plane.project(area.polygon) for area in mine if area.polygon is not None])
        cell, found = tree.query(shapely.points(x_m, y_m), predicate="intersects")
        lowest[cell] = np.array([number[area.area_id] for area in mine])[found]
    left = np.array([area.residents or 0.0 for area in told])
    for area in told:
        above = area.parent_id
        while above is not None and above not in number:
            above = areas.area(above).parent_id
        if above is not None:
            left[number[above]] -= area.residents or 0.0
    inside = lowest >= 0
    ground = np.bincount(lowest[inside], houses[inside], len(told))
    per = np.divide(np.maximum(left, 0.0), ground, out=np.zeros(len(told)), where=ground > 0)
    return np.where(inside, houses * per[lowest], 0.0)
