"""Why a number is what it is: which sources narrow it, by how much, and what would narrow it further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg as sla
import scipy.sparse as sp
from shapely.geometry import Point

from anlan.crowd.cells import Cells
from anlan.crowd.field import Field
from anlan.crowd.rows import Rows
from anlan.kernel.answers import Narrower, SourceShare, Why
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind

Floats = npt.NDArray[np.float64]
Part = tuple[npt.NDArray[np.int64], Floats]

NAMED, LEAST_SHARE = 8, 0.01
"""Sources named at most, and the share that is worth a name."""
VIEW_M = 25.0
"""A further camera is taken to see so far around it."""
VIEW_NOISE = 0.18**2 + 0.08**2 + 0.10**2
"""Relative variance of its count: its bias, its surroundings, its error."""
GATE_NOISE = 0.05**2
"""Relative variance of a closed place's balance, once a night has told its offset."""
TRIED = 24
"""Spots at which a further camera is tried, those with the most people first."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What every source says at a moment: one row for each, and to which device the row belongs.

    ``covariance`` (d, d) is that of somebody who knows the devices and not the people: for the knots of people in
    public space what it is before anything is observed, for the devices' biases what has been learned of them.
    """

    device_ids: tuple[tuple[str, ...], ...]
    spread: Floats
    lower: Floats
    prior: Floats

    @classmethod
    def of(
        cls, told: Sequence[tuple[Rows, Sequence[tuple[str, ...]]]], covariance: Floats, n_out: int
    ) -> Evidence | None:
        """Return it for rows, each with the devices that it comes from; None where nothing tells anything."""
        if not told:
            return None
        matrix = sp.vstack([rows.matrix for rows, _ in told], format="csr")
        noise = np.concatenate([rows.noise for rows, _ in told])
        spread = np.asarray(matrix @ covariance)
        variance = matrix @ spread.T
        variance[np.diag_indices_from(variance)] += noise
        lower = sla.cholesky(variance, lower=True, overwrite_a=True, check_finite=False)
        names = tuple(name for _, names in told for name in names)
        return cls(names, spread[:, :n_out].copy(), lower, covariance[:n_out, :n_out])

    def shares(self, slope: Floats) -> tuple[dict[str, float], float]:
        r"""Return the share of each device in a sum's certainty, and the part of the variance that all take off.

        With :math:`c = H Q g` the covariance of the rows with the sum and :math:`k = S^{-1} c` the gain of each row,
        what the rows take off the variance :math:`g^T Q g` is :math:`\sum_i k_i c_i`, exactly; the share of a row is
        :math:`k_i c_i` over that sum. Where we differ: a row whose term is negative (it only corrects others) counts
        nothing, and the rest are scaled to one. The devices of one row share it evenly.

        Parameters
        ----------
        slope : float64, shape (k,)
            :math:`g`, the derivative of the sum by the knots' log-ratios.

        References
        ----------
        J. W. Pratt, *Dividing the Indivisible: Using Simple Symmetry to Partition Variance Explained*, 1987.
        """
        together = self.spread @ slope
        gain = sla.cho_solve((self.lower, True), together, check_finite=False)
        taken = np.maximum(gain * together, 0.0)
        before, total = float(slope @ self.prior @ slope), float(taken.sum())
        if total <= 0 or before <= 0:
            return {}, 0.0
        found: dict[str, float] = {}
        for devices, part in zip(self.device_ids, (taken / total).tolist(), strict=True):
            for device_id in devices:
                found[device_id] = found.get(device_id, 0.0) + part / len(devices)
        return found, min(float(gain @ together) / before, 1.0)


@dataclass(frozen=True, eq=False)
class Spots:
    """Where one more device could be: the cells around each cell, and the places without gates."""

    pack: Pack
    x_m: Floats
    y_m: Floats
    open_places: Mapping[str, Part]

    @classmethod
    def of(cls, pack: Pack, cells: Cells) -> Spots:
        """Return the spots of a district."""
        gated = {device.place_id for device in pack.devices if device.kind is DeviceKind.GATE}
        places = {
            place.place_id: cells.of_place(number, pack.projection.project(place.polygon))
            for number, place in enumerate(pack.places)
            if place.place_id not in gated
        }
        return cls(pack, cells.x_m, cells.y_m, places)

    def narrower(self, field: Field, part: Part, variance: float) -> Narrower | None:
        r"""Return what would narrow a sum most: a camera at some spot, or gates at every entrance of some place.

        A count of relative noise :math:`R` of a sum with slope :math:`h` would leave

        .. math:: g^T P g - (g^T P h)^2 / (h^T P h + R n^2)

        of the variance by the knots, :math:`n` being the persons that it counts; what the knots do not resolve is
        left as it is.
        """
        index, share = part
        slope = _slope(field, part)
        there = share * field.persons[index]
        scale = float(field.scale(np.array([there.sum()]), np.array([there @ field.open_ground[index]]))[0])
        here = np.flatnonzero(slope)
        toward = field.covariance[:, here] @ slope[here]
        tried: list[tuple[DeviceKind, str | None, Part]] = [
            (DeviceKind.AREA, None, seen) for seen in self._views(field, index, share)
        ]
        tried += [(DeviceKind.GATE, place_id, seen) for place_id, seen in self._places(index, share)]
        best: tuple[float, DeviceKind, str | None, Part] | None = None
        for kind, place_id, seen in tried:
            persons = float(field.persons[seen[0]] @ seen[1])
            other = _slope(field, seen)
            noise = (VIEW_NOISE if kind is DeviceKind.AREA else GATE_NOISE) * persons**2 + persons + 1.0
            near = np.flatnonzero(other)
            alone = float(other[near] @ field.covariance[np.ix_(near, near)] @ other[near])
            taken = scale * field.params.widen * float(toward @ other) ** 2 / (alone + noise)
            if best is None or taken > best[0]:
                best = taken, kind, place_id, seen
        if best is None or variance <= 0:
            return None
        taken, kind, place_id, seen = best
        weight = field.persons[seen[0]] * seen[1]
        x, y = np.average(self.x_m[seen[0]], weights=weight), np.average(self.y_m[seen[0]], weights=weight)
        lon, lat = self.pack.projection.to_degrees(x, y)
        return Narrower(
            kind=kind,
            place_id=place_id or self._place_at(float(lon), float(lat)),
            lon=round(float(lon), 5),
            lat=round(float(lat), 5),
            narrowed_by=1 - float(np.sqrt(max(1 - taken / variance, 0.0))),
        )

    def _views(self, field: Field, index: npt.NDArray[np.int64], share: Floats) -> list[Part]:
        found = []
        chosen: list[tuple[float, float]] = []
        for k in np.argsort(-field.persons[index] * share):
            x, y = float(self.x_m[index[k]]), float(self.y_m[index[k]])
            if all(abs(x - a) > 2 * VIEW_M or abs(y - b) > 2 * VIEW_M for a, b in chosen):
                chosen.append((x, y))
                near = np.flatnonzero((np.abs(self.x_m - x) <= VIEW_M) & (np.abs(self.y_m - y) <= VIEW_M))
                found.append((near, np.ones(len(near))))
            if len(found) == TRIED:
                break
        return found

    def _places(self, index: npt.NDArray[np.int64], share: Floats) -> list[tuple[str, Part]]:
        """Return the places that have no gates yet and lie in the polygon at least by half."""
        found = []
        inside = np.zeros(len(self.x_m))
        inside[index] = share
        for place_id, seen in self.open_places.items():
            if len(seen[0]) and float(inside[seen[0]] @ seen[1]) >= 0.5 * float(seen[1].sum()):
                found.append((place_id, seen))
        return found

    def _place_at(self, lon: float, lat: float) -> str | None:
        here = Point(lon, lat)
        return next((place.place_id for place in self.pack.places if place.polygon.contains(here)), None)


def _slope(field: Field, part: Part) -> Floats:
    """Return the derivative of a sum of cells by the knots' log-ratios, shape (k,)."""
    index, share = part
    return np.asarray(field.hats[index].T @ (share * field.persons[index]))


def why(evidence: Evidence, spots: Spots, field: Field, part: Part, variance: float) -> Why:
    """Return what made the number of a polygon, and what would narrow it most.

    Parameters
    ----------
    evidence : Evidence
        What every source says at the field's moment.
    spots : Spots
        Where a further device could be.
    field : Field
    part : (cells, shares)
        The polygon.
    variance : float
        Of the number, persons squared.
    """
    found, explained = evidence.shares(_slope(field, part))
    kinds = {device.device_id: device for device in spots.pack.devices}
    order = sorted(found.items(), key=lambda one: -one[1])
    by_kind: dict[DeviceKind, float] = {}
    for device_id, share in order:
        kind = kinds[device_id].kind
        by_kind[kind] = by_kind.get(kind, 0.0) + share
    sources = tuple(
        SourceShare(device_id=device_id, kind=kinds[device_id].kind, name=kinds[device_id].name, share=share)
        for device_id, share in order[:NAMED]
        if share >= LEAST_SHARE
    )
    return Why(explained=explained, by_kind=by_kind, sources=sources, narrower=spots.narrower(field, part, variance))
