"""How much a device's counts speak for a fault, in nats: what is left of a count, and a count that repeats itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ive, ndtr

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

MOVED = 0.05
"""How likely it is, before a run of repeats, that the level has just moved to the value that is repeated."""


class Sums:
    """Means over stretches of minutes, by differences of running sums; NaN where nothing came.

    Parameters
    ----------
    values : float64, shape (n_minutes, n)
        NaN where nothing came.

    Examples
    --------
    >>> sums = Sums(np.array([[1.0], [np.nan], [5.0], [9.0]]))
    >>> float(sums.mean(0, 2)[0]), float(sums.mean(1, 3)[0]), int(sums.number(1, 3)[0])
    (7.0, 3.0, 2)
    """

    def __init__(self, values: Floats) -> None:
        told = np.isfinite(values)
        first = np.zeros((1, values.shape[1]))
        self._sum = np.concatenate([first, np.cumsum(np.where(told, values, 0), axis=0)])
        self._number = np.concatenate([first, np.cumsum(told, axis=0)])

    def number(self, ago: int, length: int) -> Floats:
        """Return of how many of ``length`` minutes, that ended ``ago`` minutes ago, something came."""
        return self._means(ago, length)[1]

    def mean(self, ago: int, length: int) -> Floats:
        """Return the mean of those minutes."""
        return self._means(ago, length)[0]

    def last(self, windows: Sequence[int], ago: int) -> tuple[Floats, Floats]:
        """Return means and numbers of windows that ended ``ago`` minutes ago, (n_windows, n)."""
        return self._means(ago, np.array(windows))

    def before(self, windows: Sequence[int], ago: int, length: int) -> tuple[Floats, Floats]:
        """Return means and numbers of the ``length`` minutes before each of those windows."""
        return self._means(ago + np.array(windows), length)

    def _means(self, ago: int | Numbers, length: int | Numbers) -> tuple[Floats, Floats]:
        """Return means and numbers of stretches of minutes, one or many."""
        end = np.maximum(len(self._sum) - 1 - ago, 0)
        begin = np.maximum(end - length, 0)
        total, number = self._sum[end] - self._sum[begin], self._number[end] - self._number[begin]
        return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0), number

    def mean_before(self, rows: range, length: int) -> Floats:
        """Return the means of the ``length`` minutes before each of some rows."""
        n_rows = len(self._sum) - 1
        return self._means(n_rows - np.array(rows), length)[0]


class Faded:
    """Means of all minutes up to one, in which each counts e times less after so many minutes; NaN where nothing came.

    Parameters
    ----------
    values : float64, shape (n_minutes, n)
        NaN where nothing came.
    fades_min : float64, shape (n,)
        For each device.

    Examples
    --------
    >>> mean, number = Faded(np.array([[4.0], [np.nan], [8.0], [9.0]]), np.full(1, 2.0)).before([1], 0)
    >>> float(mean[0, 0].round(2)), float(number[0, 0].round(2))
    (6.92, 1.65)
    """

    def __init__(self, values: Floats, fades_min: Floats) -> None:
        told = np.isfinite(values)
        weight = told * np.exp(np.arange(len(values))[:, None] / fades_min)
        first = np.zeros((1, values.shape[1]))
        parts = (weight * np.where(told, values, 0), weight, weight**2)
        self._sum, self._weight, self._squares = (np.concatenate([first, np.cumsum(one, axis=0)]) for one in parts)

    def before(self, windows: Sequence[int], ago: int) -> tuple[Floats, Floats]:
        """Return the means before windows that ended ``ago`` minutes ago, and of how many counts; (n_windows, n)."""
        end = np.maximum(len(self._sum) - 1 - ago - np.array(windows), 0)
        weight, squares, some = self._weight[end], self._squares[end], self._weight[end] > 0
        mean = np.divide(self._sum[end], weight, out=np.full(weight.shape, np.nan), where=some)
        return mean, np.divide(weight**2, squares, out=np.zeros(weight.shape), where=some)


@dataclass(frozen=True, eq=False)
class Past:
    """What devices counted in the minutes that are kept: together, (n_minutes, n), so that it fades, and each way."""

    total: Floats
    sums: Sums
    faded: Faded
    ways: tuple[Sums, Sums]

    @classmethod
    def of(cls, counts: Floats, fades_min: Floats) -> Past:
        """Return it for counts by way, (n_minutes, n, 2), that fade in so many minutes, (n,)."""
        total = counts.sum(axis=2)
        return cls(total, Sums(total), Faded(total, fades_min), (Sums(counts[:, :, 0]), Sums(counts[:, :, 1])))


@dataclass(frozen=True, eq=False)
class Usual:
    """What was counted in the last 1, 2, ... minutes, and what a healthy device would have; shape (n_windows, n).

    ``counted`` in ``number`` of the minutes, against ``mean`` a minute; ``own`` is the relative variance by which a
    device strays from it, ``theirs`` that of the means it is made of.
    """

    counted: Floats
    number: Floats
    mean: Floats
    own: Floats
    theirs: Floats
    known: Flags

    def of(self, some: Numbers) -> Usual:
        """Return the same of some devices."""
        return Usual(*(getattr(self, f.name)[:, some] for f in fields(self)))


@dataclass(frozen=True, eq=False)
class Led:
    """What was counted in the last 1, 2, ... minutes, and what the estimate leads to expect; shape (n_windows, n).

    ``counted`` in ``number`` minutes, in which ``mean`` persons were to be expected together.
    """

    counted: Floats
    mean: Floats
    number: Floats

    @classmethod
    def of(cls, counts: Floats, alone: Floats, believed: Floats) -> Led:
        r"""Return it for windows up to now, held against an estimate that has believed none of a window's counts.

        .. math:: \mu_\theta = \sum_{s \ge \theta} c_s \exp\Bigl(-e_s - \sum_{\theta \le r < s} b_r e_r\Bigr)

        for counts :math:`c` since :math:`\theta` that were off by :math:`e`, of which the estimate took a part
        :math:`b`: what it has learned from them since is given back. What is to be expected now is that of the last
        minute that is known.

        Parameters
        ----------
        counts, alone, believed : float64, shape (n_minutes, n)
            Persons, and what :class:`anlan.crowd.watched.Surprise` says; NaN where not known, as it is of now.

        References
        ----------
        A. S. Willsky, H. L. Jones, *A generalized likelihood ratio approach to the detection and estimation of jumps
        in linear systems*, IEEE Trans. Automat. Contr. 1976; here each device's own numbers alone are followed.

        Examples
        --------
        >>> counts, off = np.full((4, 1), 50.0), np.array([[-0.7], [-0.56], [-0.45], [np.nan]])
        >>> led = Led.of(counts, off, np.full((4, 1), 0.2))
        >>> led.mean.ravel().round(0), led.number.ravel()
        (array([ 72., 157., 263., 403.]), array([1., 2., 3., 4.]))
        """
        told = np.isfinite(counts) & np.isfinite(alone)
        taken = np.where(told, believed * np.where(told, alone, 0), 0)
        before = np.cumsum(taken, axis=0) - taken
        off = np.clip(np.where(told, alone, 0) + before, -20, 20)
        each = np.where(told, np.maximum(np.nan_to_num(counts), 0.5) * np.exp(-off), 0)
        last = np.zeros(counts.shape[1])
        for mean, known in zip(each, told, strict=True):
            last = np.where(known, mean, last)
        here = np.isfinite(counts[-1]) & ~told[-1] & told.any(axis=0)
        each[-1] = np.where(here, last, each[-1])
        heard = told.copy()
        heard[-1] |= here
        counted, mean, number = (
            np.cumsum(values[::-1], axis=0) for values in (np.where(heard, np.nan_to_num(counts), 0), each, heard * 1.0)
        )
        return cls(counted, mean * np.exp(np.clip(before[::-1], -20, 20)), number)


@dataclass(frozen=True, eq=False)
class Best:
    """The window that speaks loudest against each device: evidence, counted and expected a minute, minutes."""

    nats: Floats
    counted: Floats
    expected: Floats
    minutes: Floats

    @classmethod
    def of(cls, nats: Floats, usual: Usual) -> Best:
        """Return the best of all windows, by their evidence (n_windows, n)."""
        best, each = np.argmax(nats, axis=0), np.arange(nats.shape[1])
        counted = usual.counted[best, each] / np.maximum(usual.number[best, each], 1)
        return cls(nats[best, each], counted, usual.mean[best, each], best + 1.0)

    @classmethod
    def of_all(cls, nats: Floats, counted: Floats, expected: Floats, minutes: Numbers) -> Best:
        """Return the same of windows told by their numbers, (n_windows, n); where none is above -1, of nothing."""
        best, each = np.argmax(nats, axis=0), np.arange(nats.shape[1])
        some = nats[best, each] > -1
        counted, expected = np.where(some, counted[best, each], 0), np.where(some, expected[best, each], 0)
        return cls(np.where(some, nats[best, each], -1), counted, expected, np.where(some, minutes[best, 0], 0.0))


def against(x: Floats, mean: Floats, left: Floats | float, relative: Floats) -> Floats:
    r"""Return the evidence, in nats, that only a part of a count is left.

    .. math:: x \log f - (x + r) \log\frac{r + f\mu}{r + \mu}

    the log-likelihood ratio of negative binomial counts of means :math:`f\mu` and :math:`\mu`.

    Parameters
    ----------
    x, mean : float64, shape (n,)
        Counted, and expected, persons.
    left : float or float64, shape (n,)
        The part :math:`f`.
    relative : float64, shape (n,)
        Variance of the relative deviation from the mean beyond that of whole people, :math:`1/r`.

    Examples
    --------
    >>> against(np.array([0.0, 5.0, 10.0]), np.full(3, 10.0), 0.5, np.full(3, 0.01)).round(1)
    array([ 4.7,  1.4, -1.8])
    """
    r = 1 / np.maximum(relative, 1e-9)
    return np.asarray(x * np.log(left) - (x + r) * np.log((r + left * mean) / (r + mean)))


def log_chance(x: Floats, mean: Floats, relative: Floats) -> Floats:
    """Return the log-probability of a negative binomial count of a mean and a relative variance beyond whole people."""
    r, mean = 1 / np.maximum(relative, 1e-9), np.maximum(mean, 0.02)
    chance = r * np.log(r / (r + mean)) + x * np.log(mean / (r + mean))
    return np.asarray(gammaln(x + r) - gammaln(r) - gammaln(x + 1) + chance)


def log_chance_of_view(x: Floats, mean: Floats, sd: Floats) -> Floats:
    """Return the log-probability of a whole number that is normal about a mean."""
    sd = np.maximum(sd, 0.4)
    return np.asarray(np.log(np.maximum(ndtr((x + 0.5 - mean) / sd) - ndtr((x - 0.5 - mean) / sd), 1e-12)))


def repeated(n_repeats: Floats, told: Floats, moved: Floats) -> Floats:
    r"""Return the evidence, in nats, of a run in which a value is repeated: how rarely a healthy device would do it.

    .. math:: -\log\left((1 - w)\,p^n + w\,q^n\right), \qquad
        w = \frac{\epsilon\, q}{\epsilon\, q + (1 - \epsilon)\, p}

    with the chance :math:`p` of the value as the minutes before let expect, and :math:`q` that of a repeat where the
    level has just moved to it, which is the likelier the less the value was to be expected.

    Parameters
    ----------
    n_repeats : float64, shape (n,)
    told, moved : float64, shape (n,)
        :math:`\log p` and :math:`\log q`.

    Examples
    --------
    >>> chance = np.log(np.array([0.1, 0.1, 0.0001]))
    >>> repeated(np.array([0.0, 3.0, 3.0]), chance, np.full(3, np.log(0.1))).round(1)
    array([0. , 6.9, 6.9])
    """
    odds = np.log(MOVED / (1 - MOVED)) + moved - told
    w = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
    both = np.logaddexp(np.log1p(-np.minimum(w, 1 - 1e-12)) + n_repeats * told, np.log(w) + n_repeats * moved)
    return np.asarray(np.where(n_repeats > 0, -both, 0.0))


def log_again(mean: Floats) -> Floats:
    r"""Return the log-probability that two Poisson counts of a mean are equal, :math:`\log e^{-2m} I_0(2m)`."""
    return np.asarray(np.log(ive(0, 2 * np.maximum(mean, 0))))
