"""What a simulated year runs on: times between places, units with posts and shifts, and the incidents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats
from anlan.response.simulate import kernel
from anlan.response.travel import Network

Ints = npt.NDArray[np.int64]
HOUR_S, DAY_S = 3600.0, 86400.0
MOST_PLACES = 4000
"""Places whose times are all held: 64 MB at this number, twice."""
LEVEL_PACE = (1.0,) * 24
_SLACK_S = 0.25


def _whole(given: npt.ArrayLike, n: int, name: str, most: int) -> Ints:
    made = np.broadcast_to(np.asarray(given), (n,)) if np.ndim(given) == 0 else np.asarray(given)
    if made.shape != (n,) or (n and not ((made >= 0) & (made < most) & (made == np.rint(made))).all()):
        raise BadInput(f"{name} of shape {made.shape}", f"must be {n} whole numbers in 0..{most - 1}", "correct it")
    return made.astype(np.int64)


def _times(given: npt.ArrayLike, n: int, name: str) -> Floats:
    made = np.broadcast_to(np.asarray(given, float), (n,)) if np.ndim(given) == 0 else np.asarray(given, float)
    if made.shape != (n,) or not ((made >= 0) & np.isfinite(made)).all():
        raise BadInput(f"{name} of shape {made.shape}", f"must be {n} numbers >= 0 s", "correct it")
    return made


@dataclass(frozen=True, eq=False, kw_only=True)
class Roads:
    """How long it takes between places, and which place is next on the way.

    Parameters
    ----------
    times_s : array of shape (N, N)
        Seconds from place (row) to place (column), free traffic; 0 on the diagonal.
    pace : tuple of 24 floats
        Factor on these times by hour of the day: 1.5 in a rush hour.

    Raises
    ------
    BadInput
        If a time is missing, infinite or negative, or there are more than 4,000 places.
    """

    times_s: npt.NDArray[np.float32]
    pace: tuple[float, ...] = LEVEL_PACE

    def __post_init__(self) -> None:
        times = np.ascontiguousarray(self.times_s, np.float32)
        if times.ndim != 2 or times.shape[0] != times.shape[1] or not 0 < len(times) <= MOST_PLACES:
            raise BadInput(
                f"times_s of shape {times.shape}", f"must be (N, N) with N in 1..{MOST_PLACES}", "take fewer places"
            )
        if not ((times >= 0) & np.isfinite(times)).all():
            raise BadInput("times_s", "must be >= 0 s and finite", "take places from which one gets everywhere")
        if len(self.pace) != 24 or not all(0 < one <= 20 for one in self.pace):
            raise BadInput(f"pace of {len(self.pace)} hours", "must be 24 factors in 0..20", "give one for each hour")
        times[np.diag_indices(len(times))] = 0.0
        object.__setattr__(self, "times_s", times)

    @classmethod
    def of(cls, network: Network, nodes: npt.ArrayLike, pace: tuple[float, ...] = LEVEL_PACE) -> Roads:
        """Return the times between nodes of a street network, under its conditions.

        Raises
        ------
        BadInput
            If one cannot get from each of the nodes to each; take them from ``network.main_piece()``.
        """
        places = np.asarray(nodes, np.int32)
        limit_s = 900.0
        while True:
            made = network.reach(places, limit_s).matrix_s(places)
            if np.isfinite(made).all() or limit_s >= 3600:
                return cls(times_s=made, pace=pace)
            limit_s *= 2

    @property
    def n_places(self) -> int:
        """How many places there are."""
        return len(self.times_s)

    @cached_property
    def inward_s(self) -> npt.NDArray[np.float32]:
        """The times by destination: row j holds what it takes to place j from everywhere."""
        return np.ascontiguousarray(self.times_s.T)

    def steps(self, posts: Ints) -> npt.NDArray[np.int32]:
        """Return the next place on the way from every place to each post (P, N)."""
        kept: dict[bytes, npt.NDArray[np.int32]] = self.__dict__.setdefault("_steps", {})
        key = posts.tobytes()
        if key not in kept:
            kept[key] = kernel.steps(self.times_s, posts, _SLACK_S)
        return kept[key]

    def ranked(self, posts: Ints) -> npt.NDArray[np.int16]:
        """Return for every place the posts, those first from which one is there first (N, P)."""
        kept: dict[bytes, npt.NDArray[np.int16]] = self.__dict__.setdefault("_ranked", {})
        key = posts.tobytes()
        if key not in kept:
            kept[key] = np.argsort(self.times_s[posts].T, axis=1, kind="stable").astype(np.int16)
        return kept[key]


@dataclass(frozen=True, eq=False, kw_only=True)
class Fleet:
    """The units: where they wait and when they are on duty.

    Parameters
    ----------
    posts : array of shape (P,)
        Places at which units may wait.
    home : array of shape (U,)
        Each unit's own post, as an index into ``posts``; one unit at each post where left out.
    on_s, off_s : float or array of shape (U,)
        Shift, seconds of the day; equal ones mean always. A unit finishes what it does, and begins at its own post.
    able : array of shape (kinds, U), optional
        Which kinds of incident each unit can serve; all where left out.
    names : tuple of str
        What the units are called.

    Raises
    ------
    BadInput
        If there is no unit, or a shape or number is wrong.
    """

    posts: Ints
    home: Ints | None = None
    on_s: npt.ArrayLike = 0.0
    off_s: npt.ArrayLike = 0.0
    able: npt.NDArray[np.bool_] | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        posts = np.atleast_1d(np.asarray(self.posts))
        if posts.ndim != 1 or not len(posts):
            raise BadInput(f"posts of shape {posts.shape}", "must be at least one place", "give where units wait")
        home = np.arange(len(posts)) if self.home is None else np.atleast_1d(np.asarray(self.home))
        n = len(home)
        if not n:
            raise BadInput("home=[]", "must name a post for at least one unit", "give the units")
        object.__setattr__(self, "posts", _whole(posts, len(posts), "posts", MOST_PLACES))
        object.__setattr__(self, "home", _whole(home, n, "home", len(posts)))
        for name in ("on_s", "off_s"):
            shift = _times(getattr(self, name), n, name)
            if not (shift < DAY_S).all():
                raise BadInput(f"{name}={shift.max():g}", "must be 0..86399 s of the day", "give the time of day")
            object.__setattr__(self, name, shift)
        if self.able is not None and (self.able.ndim != 2 or self.able.shape[1] != n):
            raise BadInput(f"able of shape {self.able.shape}", f"must be (kinds, {n})", "give one column for each unit")
        if self.names and len(self.names) != n:
            raise BadInput(f"{len(self.names)} names", f"must be {n}", "name each unit")

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return len(self.homes)

    @property
    def homes(self) -> Ints:
        """Each unit's own post, an index into ``posts``."""
        assert self.home is not None  # noqa: S101 - set at construction
        return self.home

    def name(self, unit: int) -> str:
        """Return what a unit is called."""
        return self.names[unit] if self.names else str(unit + 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Kind:
    """A kind of incident, to draw some.

    Parameters
    ----------
    key : str
    share : float
        Of all incidents; the shares need not sum to 1.
    priority : int
        0 is served first.
    n_units : int
        Units that it needs.
    on_scene_s, on_scene_cv : float
        Mean and coefficient of variation of the time on scene; the draw is lognormal.
    """

    key: str = "any"
    share: float = 1.0
    priority: int = 0
    n_units: int = 1
    on_scene_s: float = 1200.0
    on_scene_cv: float = 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Carrying:
    """Patients who are taken to a hospital.

    Parameters
    ----------
    hospitals : array of shape (H,)
        Places of the roads; each patient is taken to the nearest from where the incident is.
    share : float
        Of all incidents.
    handover_s, handover_cv : float
        Mean and coefficient of variation of the time at the hospital; the draw is lognormal.
    slower : float
        Factor on the times of the roads on the way there: more than 1 without a siren.

    Raises
    ------
    BadInput
        If there is no hospital, or a number is out of its range.
    """

    hospitals: npt.ArrayLike
    share: float = 1.0
    handover_s: float = 0.0
    handover_cv: float = 1.0
    slower: float = 1.0

    def __post_init__(self) -> None:
        places = np.atleast_1d(np.asarray(self.hospitals))
        if places.ndim != 1 or not len(places):
            raise BadInput(f"hospitals of shape {places.shape}", "must be at least one place", "give one")
        object.__setattr__(self, "hospitals", _whole(places, len(places), "hospitals", MOST_PLACES))
        if not (0 <= self.share <= 1 and 0 <= self.handover_s < math.inf and self.handover_cv >= 0):
            raise BadInput(f"share={self.share}, handover_s={self.handover_s}", "must be 0..1 and >= 0 s", "correct it")
        if not 0 < self.slower <= 20:
            raise BadInput(f"slower={self.slower}", "must be a factor in 0..20", "give 1 for the roads' own times")


@dataclass(frozen=True, eq=False, kw_only=True)
class Incidents:
    """What happens, drawn before anything runs, so that every plan and policy meets the same.

    Parameters
    ----------
    at_s : array of shape (M,)
        When each is known and may be dispatched, s from a midnight, in order.
    place : array of shape (M,)
        Index of a place of the roads.
    on_scene_s : float or array of shape (M,)
        How long each of its units stays, from that unit's own arrival.
    turnout_s : float or array of shape (M,)
        From being sent to setting off, for a unit that waits at a post. One under way turns at once.
    kind, priority, n_units : int or array of shape (M,)
        Kind (see ``Fleet.able``), priority (0 first, up to 9), and how many units it needs (at least 1).
    carry_s, handover_s : float or array of shape (M,)
        The way on from the scene in free traffic, and how long a unit stays there; see :meth:`carried`.
    ends : array of shape (M,), optional
        The place where its units come free. Where it is left out, nobody drives on.

    Raises
    ------
    BadInput
        If a shape or number is wrong, or the moments are out of order.
    """

    at_s: Floats
    place: Ints
    on_scene_s: npt.ArrayLike
    turnout_s: npt.ArrayLike = 60.0
    kind: npt.ArrayLike = 0
    priority: npt.ArrayLike = 0
    n_units: npt.ArrayLike = 1
    carry_s: npt.ArrayLike = 0.0
    handover_s: npt.ArrayLike = 0.0
    ends: npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        at = _times(self.at_s, len(self.at_s), "at_s")
        if (np.diff(at) < 0).any():
            raise BadInput("at_s", "must not fall", "sort the incidents by time")
        n = len(at)
        object.__setattr__(self, "at_s", at)
        object.__setattr__(self, "place", _whole(self.place, n, "place", MOST_PLACES))
        object.__setattr__(self, "kind", _whole(self.kind, n, "kind", 100))
        object.__setattr__(self, "priority", _whole(self.priority, n, "priority", 10))
        object.__setattr__(self, "n_units", _whole(self.n_units, n, "n_units", 1000))
        if n and self.needs.min() < 1:
            raise BadInput("n_units=0", "must be at least 1", "leave out incidents that need nobody")
        for name in ("on_scene_s", "turnout_s", "carry_s", "handover_s"):
            object.__setattr__(self, name, _times(getattr(self, name), n, name))
        if self.ends is None and (np.any(self.carry_s) or np.any(self.handover_s)):
            raise BadInput("ends=None", "must be told where a unit drives on or hands over", "give the place of each")
        if self.ends is not None:
            object.__setattr__(self, "ends", _whole(self.ends, n, "ends", MOST_PLACES))

    def __len__(self) -> int:
        return len(self.at_s)

    @property
    def needs(self) -> Ints:
        """How many units each needs (M,)."""
        return np.asarray(self.n_units, np.int64)

    @property
    def where_free(self) -> Ints:
        """Where its units come free (M,)."""
        return self.place if self.ends is None else np.asarray(self.ends, np.int64)

    def carried(self, rng: np.random.Generator, roads: Roads, carrying: Carrying) -> Incidents:
        """Return the same incidents, of which a share end at the nearest hospital: every unit of theirs drives there.

        Examples
        --------
        >>> street = Roads(times_s=[[0, 60, 120], [60, 0, 60], [120, 60, 0]])
        >>> told = Incidents(at_s=[0.0, 9.0], place=[1, 0], on_scene_s=600.0)
        >>> made = told.carried(np.random.default_rng(1), street, Carrying(hospitals=[2], slower=1.5))
        >>> made.where_free.tolist(), made.carry_s.tolist()
        ([2, 2], [90.0, 180.0])
        """
        n, hospitals = len(self), np.asarray(carrying.hospitals, np.int64)
        if hospitals.max() >= roads.n_places:
            raise BadInput(f"hospital at place {hospitals.max()}", f"must be 0..{roads.n_places - 1}", "correct it")
        nearest = roads.times_s[:, hospitals].argmin(axis=1)[self.place]
        goes = rng.random(n) < carrying.share
        way = roads.times_s[self.place, hospitals[nearest]].astype(float) * carrying.slower
        stay = lognormal(rng, np.full(n, carrying.handover_s), np.full(n, carrying.handover_cv))
        return self.replaced(
            carry_s=np.where(goes, way, 0.0),
            handover_s=np.where(goes, stay, 0.0),
            ends=np.where(goes, hospitals[nearest], self.place),
        )

    def replaced(self, **fields: npt.ArrayLike) -> Incidents:
        """Return the same incidents with some fields replaced."""
        return replace(self, **fields)  # type: ignore[arg-type]  # checked at construction

    @classmethod
    def drawn(
        cls,
        rng: np.random.Generator,
        *,
        per_hour: npt.ArrayLike,
        weight: npt.ArrayLike,
        days: int,
        kinds: Sequence[Kind] = (Kind(),),
        turnout_s: float = 60.0,
    ) -> Incidents:
        """Draw incidents: a Poisson stream whose rate changes by the hour.

        Parameters
        ----------
        rng : numpy.random.Generator
        per_hour : float or array of shape (24,) or (168,)
            Incidents an hour, by hour of the day, or of the week from Monday.
        weight : array of shape (N,)
            How likely each place is, in any unit.
        days : int
        kinds : sequence of Kind
        turnout_s : float
            Mean turn-out; drawn lognormal with half of it as standard deviation.

        Raises
        ------
        BadInput
            If a rate or weight is negative, or nothing can happen.

        Examples
        --------
        >>> made = Incidents.drawn(np.random.default_rng(1), per_hour=2, weight=[1, 0, 3], days=10)
        >>> len(made), sorted(set(made.place.tolist()))
        (470, [0, 2])
        """
        rates, chance = np.atleast_1d(np.asarray(per_hour, float)), np.asarray(weight, float)
        if rates.shape not in {(1,), (24,), (168,)} or not ((rates >= 0) & np.isfinite(rates)).all():
            raise BadInput(f"per_hour of shape {rates.shape}", "must be one, 24 or 168 rates >= 0", "correct it")
        if chance.ndim != 1 or not ((chance >= 0) & np.isfinite(chance)).all() or chance.sum() <= 0:
            raise BadInput(f"weight of shape {chance.shape}", "must be >= 0 and not all 0", "weigh the places")
        if days < 1 or not kinds:
            raise BadInput(f"days={days}, {len(kinds)} kinds", "must be at least one of each", "correct it")
        n_by_hour = rng.poisson(np.resize(rates, 24 * days))
        n = int(n_by_hour.sum())
        at = np.sort(np.repeat(np.arange(24 * days) * HOUR_S, n_by_hour) + rng.random(n) * HOUR_S)
        which = rng.choice(len(kinds), n, p=np.array([one.share for one in kinds]) / sum(one.share for one in kinds))
        means = np.array([one.on_scene_s for one in kinds])[which]
        spread = np.array([one.on_scene_cv for one in kinds])[which]
        return cls(
            at_s=at,
            place=rng.choice(len(chance), n, p=chance / chance.sum()),
            on_scene_s=lognormal(rng, means, spread),
            turnout_s=lognormal(rng, np.full(n, turnout_s), np.full(n, 0.5)),
            kind=which,
            priority=np.array([one.priority for one in kinds])[which],
            n_units=np.array([one.n_units for one in kinds])[which],
        )


def lognormal(rng: np.random.Generator, mean: Floats, cv: Floats) -> Floats:
    """Return lognormal draws of given means and coefficients of variation; a cv of 0 is the mean itself."""
    sigma = np.sqrt(np.log1p(cv**2))
    return np.asarray(mean * np.exp(sigma * rng.standard_normal(len(mean)) - 0.5 * sigma**2), float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who is sent, and where who is free waits.

    Parameters
    ----------
    key : str
        What it is called.
    keeps_cover : bool
        Of the units that keep the promise, send the one whose going costs least expected cover; else the nearest.
    nearest_below : int
        Incidents of a smaller priority number get the nearest in any case.
    moves_up : str
        ``home``: back to its own post. ``freed``: a unit that comes free drives to where it adds most expected cover.
        ``each``: beside that, one idle unit may be moved after each incident.
    longest_move_s : float
        No move-up takes longer.
    least_gain : float
        Share of all weight that such a further move must add.
    preempts : bool
        Where nobody free keeps the promise, a unit on its way to a lesser incident may be called off if it is sooner.
    queues : bool
        False: incidents that find nobody free are lost to somebody else.

    Raises
    ------
    BadInput
        If ``moves_up`` is none of the three, or a number is negative.
    """

    key: str = "nearest"
    keeps_cover: bool = False
    nearest_below: int = 0
    moves_up: str = "home"
    longest_move_s: float = math.inf
    least_gain: float = 0.01
    preempts: bool = False
    queues: bool = True

    def __post_init__(self) -> None:
        if self.moves_up not in MOVES:
            raise BadInput(f"moves_up={self.moves_up!r}", f"must be one of {', '.join(MOVES)}", "choose one")
        if not (self.longest_move_s >= 0 and self.least_gain >= 0 and self.nearest_below >= 0):
            raise BadInput(f"policy {self.key!r}", "must have numbers >= 0", "correct it")

    @property
    def weighs_cover(self) -> bool:
        """True where it needs to know the expected cover."""
        return self.keeps_cover or self.moves_up != "home"


MOVES = {"home": kernel.HOME, "freed": kernel.FREED, "each": kernel.EACH}
NEAREST = Policy()
KEEPING = Policy(key="cover kept", keeps_cover=True)
MOVING = Policy(key="moved up", moves_up="freed")
BOTH = Policy(key="cover kept, moved up", keeps_cover=True, moves_up="freed")
