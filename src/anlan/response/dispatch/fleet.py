"""The units as arrays, kept up as they change: who is where, what each can do, what the free ones cover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from anlan.kernel.geo import Floats, Projection
from anlan.kernel.records import Unit
from anlan.kernel.response import UnitNow, UnitStatus
from anlan.response.dispatch.ground import SPREAD, Ground
from anlan.response.dispatch.playbooks import Need, Playbooks
from anlan.response.travel.graph import Ints

ROLLING = 1 / 3
"""Part of the turn-out that a unit on the move needs."""
STATUSES = tuple(UnitStatus)
_NUMBER = {one: k for k, one in enumerate(STATUSES)}
_FREE = np.array([one in {UnitStatus.AVAILABLE, UnitStatus.RETURNING} for one in STATUSES])
_MOVES = np.array([one in {UnitStatus.RETURNING, UnitStatus.EN_ROUTE} for one in STATUSES])
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Makeup:
    """What units are, whatever they do: it changes only when one is added, removed or described anew."""

    units: tuple[Unit, ...]
    kinds: tuple[str, ...]
    modes: tuple[str, ...]
    kind: Ints
    """(U,) number of each unit's kind among ``kinds``, -1 where no playbook knows it."""
    mode: Ints
    """(U,) number of its way of moving among ``modes``, -1 likewise."""
    turnout_s: Floats
    spread: Floats
    crew: Ints
    can: tuple[frozenset[str], ...]
    rank: Ints
    """(U,) place of each in the order of ids."""
    _fits: dict[Need, Mask] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, units: Sequence[Unit], books: Playbooks) -> Makeup:
        """Return what units are."""
        kinds = tuple(books.unit_kinds)
        modes = tuple(sorted({one.mode for one in books.unit_kinds.values()}))
        number = {key: k for k, key in enumerate(kinds)}
        kind = np.array([number.get(one.kind, -1) for one in units], np.int32)
        of_kind = [*books.unit_kinds.values()]
        mode = np.array([*(modes.index(one.mode) for one in of_kind), -1], np.int32)[kind]
        ids = np.array([one.unit_id for one in units], dtype=object)
        rank = np.empty(len(units), np.int32)
        rank[np.argsort(ids, kind="stable")] = np.arange(len(units))
        return cls(
            units=tuple(units),
            kinds=kinds,
            modes=modes,
            kind=kind,
            mode=mode,
            turnout_s=np.array([*(one.turnout_s for one in of_kind), 0.0], float)[kind],
            spread=np.array([*(SPREAD.get(one, 0.3) for one in modes), 0.3])[mode],
            crew=np.array([one.crew for one in units], np.int32),
            can=tuple(books.capabilities_of(one) for one in units),
            rank=rank,
        )

    def fits(self, need: Need) -> Mask:
        """Return which units (U,) can fill a slot of a need."""
        found = self._fits.get(need)
        if found is None:
            able = [
                need.capabilities <= can and need.agency in {None, one.agency}
                for one, can in zip(self.units, self.can, strict=True)
            ]
            found = self._fits[need] = (self.crew >= need.crew) & np.array(able, np.bool_)
        return found


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Fleet:
    """The units as they are now; every array is of shape (U,). Nothing in it is changed: another moment is another."""

    units: tuple[UnitNow, ...]
    makeup: Makeup
    status: Ints
    """Number of the status among ``STATUSES``."""
    node: Ints
    """Where each is, by node of its own mode; 0 where that is not known."""
    first_s: Floats
    """From where it is to that node, s."""
    known: Mask
    """Whether its kind and its place are known."""
    placed: Mask
    """Whether its place is."""
    position_s: Floats
    """When it was there, s since 1970; NaN where it never said."""
    incident: npt.NDArray[np.object_]
    """The id of the incident it is on, None where it is on none."""

    def __len__(self) -> int:
        return len(self.units)

    @property
    def is_free(self) -> Mask:
        """Who can be sent without taking it from anybody."""
        return _FREE[self.status]

    @property
    def free(self) -> Mask:
        """Who is free at a place that is known."""
        return self.known & _FREE[self.status]

    @property
    def moves(self) -> Mask:
        """Who is on the move."""
        return _MOVES[self.status]

    @property
    def turnout_s(self) -> Floats:
        """What is left of the turn-out, s."""
        return np.where(self.moves, ROLLING, 1.0) * self.makeup.turnout_s

    def age_s(self, now_s: float) -> Floats:
        """Return how old a position is, s; 0 of one that stands: it is where it was, however long ago it said so."""
        age = np.where(self.moves, now_s - self.position_s, 0.0)
        return np.where(np.isfinite(age), np.maximum(age, 0.0), 0.0)


class Follower:
    """Makes fleets of units: what has not changed since the last one is not looked at again.

    Units are told apart as objects, which nobody changes. Any thread may ask.
    """

    def __init__(self, ground: Ground, books: Playbooks, plane: Projection) -> None:
        self._ground, self._books, self._plane = ground, books, plane
        self._last: Fleet | None = None

    def fleet(self, units: Sequence[UnitNow]) -> Fleet:
        """Return the units as arrays."""
        last = self._last
        if last is None or not _are_same(last.makeup.units, units):
            makeup = Makeup.of([one.unit for one in units], self._books)
            made = self._taken(_empty(units, makeup), units, np.arange(len(units)))
        else:
            changed = [k for k, (was, now) in enumerate(zip(last.units, units, strict=True)) if was is not now]
            if not changed:
                return last
            made = self._taken(last, units, np.array(changed))
        self._last = made
        return made

    def _taken(self, last: Fleet, units: Sequence[UnitNow], rows: npt.NDArray[np.int64]) -> Fleet:
        """Return a fleet with some rows read anew."""
        own, makeup = [units[k] for k in rows], last.makeup
        made = replace(
            last,
            units=tuple(units),
            status=last.status.copy(),
            node=last.node.copy(),
            first_s=last.first_s.copy(),
            known=last.known.copy(),
            placed=last.placed.copy(),
            position_s=last.position_s.copy(),
            incident=last.incident.copy(),
        )
        lon = np.array([math.nan if one.lon is None else one.lon for one in own], float)
        lat = np.array([math.nan if one.lat is None else one.lat for one in own], float)
        made.status[rows] = [_NUMBER[one.status] for one in own]
        made.position_s[rows] = [math.nan if one.position_at is None else one.position_at.timestamp() for one in own]
        made.incident[rows] = [one.incident_id for one in own]
        made.placed[rows] = np.isfinite(lon) & np.isfinite(lat)
        made.known[rows] = made.placed[rows] & (makeup.kind[rows] >= 0)
        seen = np.flatnonzero(made.known[rows])
        x, y = self._plane.to_metres(lon[seen], lat[seen])
        for k in np.unique(makeup.mode[rows[seen]]):
            of_mode = makeup.mode[rows[seen]] == k
            at = rows[seen[of_mode]]
            made.node[at], made.first_s[at] = self._ground.nearest(makeup.modes[k], x[of_mode], y[of_mode])
        return made


def _are_same(known: Sequence[Unit], units: Sequence[UnitNow]) -> bool:
    return len(known) == len(units) and all(was is now.unit for was, now in zip(known, units, strict=True))


def _empty(units: Sequence[UnitNow], makeup: Makeup) -> Fleet:
    n = len(units)
    return Fleet(
        units=tuple(units),
        makeup=makeup,
        status=np.zeros(n, np.int32),
        node=np.zeros(n, np.int32),
        first_s=np.zeros(n),
        known=np.zeros(n, np.bool_),
        placed=np.zeros(n, np.bool_),
        position_s=np.full(n, np.nan),
        incident=np.full(n, None, dtype=object),
    )
