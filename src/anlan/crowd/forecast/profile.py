"""What a slot of the week is used to, learned as it goes."""

from __future__ import annotations

import numpy as np

from anlan.crowd.forecast.series import Floats, Series

FORGETS = 0.2
"""Part of the newest week in what is taken for usual, once five have been seen: a mean of them before."""
BOUND = 1.0
"""A week that departs further than this (log-ratio) moves the usual no further: a feast does not become the rule."""


def usual(series: Series, *, forgets: float = FORGETS) -> Floats:
    r"""Return the usual log(persons + 10) of every step as known a week earlier, a week beyond the end included.

    .. math:: m_s \leftarrow m_s + \max(\alpha, 1/(n_s+1)) \, \mathrm{clip}(\log(x+10) - m_s, \pm 1)

    for each slot *s* of the week at each of its steps; days of rest ask the Sundays and teach nothing, nor do hours for
    which more people are planned.

    Parameters
    ----------
    series : Series
        (T, S).
    forgets : float
        :math:`\alpha`, the weight of the newest week.

    Returns
    -------
    ndarray
        (T + week, S); NaN before a slot was seen.
    """
    logs, slot, rests, added = series.logs, series.slot, series.rests, series.added
    n_subjects = logs.shape[1]
    mean = np.full((series.week, n_subjects), np.nan)
    seen = np.zeros((series.week, n_subjects))
    found = np.full((len(series) + series.week, n_subjects), np.nan)
    for k in range(len(found)):
        s = slot[k]
        found[k] = mean[s]
        if k >= len(series) or rests[k]:
            continue
        now, before = logs[k], mean[s]
        told = np.isfinite(now) & (added[k] == 0)
        weight = np.maximum(forgets, 1 / (seen[s] + 1))
        moved = np.where(np.isfinite(before), before + weight * np.clip(now - before, -BOUND, BOUND), now)
        mean[s] = np.where(told, moved, before)
        seen[s] += told
    return found
