"""Which devices stand by which: what one may be held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind

Floats = npt.NDArray[np.float64]

NEAR_M = 1500.0
ALIKE_M = 1000.0
FAR_M = 4000.0
N_NEAR = 12


@dataclass(frozen=True, eq=False)
class Around:
    """The neighbours of each device.

    ``alike`` (n, n) weighs its like: lines on foot, roads and views apart, e times less a kilometre away; any others
    where it has none.
    ``near`` (n, 12) are the numbers of the nearest of any kind, n where there are no more.
    """

    alike: sp.csr_matrix
    near: npt.NDArray[np.int64]

    @cached_property
    def _squared(self) -> sp.csr_matrix:
        return self.alike.power(2)

    def moved(self, now: Floats, then: Floats) -> tuple[Floats, Floats]:
        """Return by how much the like of each device count more now than then, and as how many counts that is known.

        Of a weighted sum of whole people as many counts are the measure as have its relative variance, by minute.

        Parameters
        ----------
        now, then : float64, shape (n_windows, n)
            Counted a minute; 0 where not known.
        """
        lately, before, squared = (self.alike @ now.T).T, (self.alike @ then.T).T, (self._squared @ then.T).T
        ratio = np.divide(lately, before, out=np.ones(before.shape), where=before > 0)
        return ratio, np.divide(before**2, squared, out=np.zeros(before.shape), where=squared > 0)

    def median(self, values: Floats) -> Floats:
        """Return the median of the values around each device, 0 where none is known."""
        if not len(values):
            return values
        found = np.sort(np.append(values, np.nan)[self.near], axis=1)  # NaN last
        number = np.isfinite(found).sum(axis=1)
        each = np.arange(len(found))
        low, high = np.maximum(number - 1, 0) // 2, np.minimum(number // 2, N_NEAR - 1)
        return np.where(number > 0, (found[each, low] + found[each, high]) / 2, 0.0)


def around_of(pack: Pack, devices: Sequence[Device]) -> Around:
    """Return the neighbours of devices; those of any kind within 1,500 m."""
    n = len(devices)
    at = [pack.projection.project(device.geometry).centroid for device in devices]
    xy = np.array([(point.x, point.y) for point in at]).reshape(n, 2)
    alike = sp.lil_matrix((n, n))
    near = np.full((n, N_NEAR), n, np.int64)
    for k, device in enumerate(devices):
        apart = np.hypot(*(xy - xy[k]).T)
        others = [int(j) for j in np.argsort(apart, kind="stable") if j != k and apart[j] < NEAR_M]
        apart_from = {DeviceKind.AREA, DeviceKind.ROAD} - {device.kind}  # vehicles tell little of people on foot
        alone = device.kind in {DeviceKind.AREA, DeviceKind.ROAD}
        like = np.array([one.kind is device.kind if alone else one.kind not in apart_from for one in devices], bool)
        nearness = np.where((np.arange(n) == k) | (apart > FAR_M), 0, np.exp(-apart / ALIKE_M))
        alike[k] = nearness * like if (nearness * like).any() else nearness
        near[k, : len(others[:N_NEAR])] = others[:N_NEAR]
    return Around(alike.tocsr(), near)
