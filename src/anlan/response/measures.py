"""Proof: what a history of responses shows of arrivals, cover, work and broken promises."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy  # its statistics are loaded by the first who asks: they are a fifth of what a server loads
from scipy.special import ndtri

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Floats

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
HOUR_S = 3600.0
FRACTILES = (0.5, 0.9, 0.95)


class Sent(Protocol):
    """What is read of the record of one unit that was sent: the segments of APCO and NFPA."""

    @property
    def incident_id(self) -> str:
        """Which incident."""
        ...  # pragma: no cover - a protocol has no body

    @property
    def unit_id(self) -> str:
        """Which unit."""
        ...  # pragma: no cover - a protocol has no body

    @property
    def received_at(self) -> datetime:
        """When the incident was known."""
        ...  # pragma: no cover - a protocol has no body

    @property
    def dispatched_at(self) -> datetime:
        """When the unit was told."""
        ...  # pragma: no cover - a protocol has no body

    @property
    def en_route_at(self) -> datetime | None:
        """When it set out."""
        ...  # pragma: no cover - a protocol has no body

    @property
    def on_scene_at(self) -> datetime | None:
        """When it arrived."""
        ...  # pragma: no cover - a protocol has no body

    @property
    def available_at(self) -> datetime | None:
        """When it was free again."""
        ...  # pragma: no cover - a protocol has no body

    @property
    def expected_s(self) -> float | None:
        """What was promised, from told to arrived, s."""
        ...  # pragma: no cover - a protocol has no body


class Cause(StrEnum):
    """Why a promise was broken."""

    NO_UNIT_FREE = "no_unit_free"
    LATE_DISPATCH = "late_dispatch"
    """A unit was free, and was told late."""
    SLOW_TURNOUT = "slow_turnout"
    FAR = "far"
    """Nobody who was sent could have been there in time."""
    SLOW_TRAVEL = "slow_travel"
    """The way took longer than was expected."""
    NOBODY_CAME = "nobody_came"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Responses:
    """A history in columns, one row for each unit that was sent, in s from a midnight of the district's clock.

    NaN where a moment was not recorded. ``expected_s`` is from being told to arrival, as promised when it was sent.
    ``area`` is a number by which the caller knows a place; ``n_incidents`` counts also those to which nobody was sent.
    """

    incident: Ints
    unit: Ints
    area: Ints
    received_s: Floats
    dispatched_s: Floats
    en_route_s: Floats
    on_scene_s: Floats
    available_s: Floats
    expected_s: Floats
    n_incidents: int
    n_units: int

    def __post_init__(self) -> None:
        n = len(self.incident)
        moments = ("received_s", "dispatched_s", "en_route_s", "on_scene_s", "available_s")
        for name in ("unit", "area", "expected_s", *moments):
            if getattr(self, name).shape != (n,):
                raise BadInput(f"{name} of shape {getattr(self, name).shape}", f"must be ({n},)", "give one for each")
        if n and (np.isnan(self.received_s).any() or np.isnan(self.dispatched_s).any()):
            raise BadInput("received_s or dispatched_s with NaN", "must be known of whoever was sent", "correct it")
        before = self.received_s
        for name in moments[1:]:
            now = getattr(self, name)
            wrong = np.flatnonzero(now < before - 1e-6)
            if len(wrong):
                raise BadInput(
                    f"{name}[{wrong[0]}]={now[wrong[0]]:g}", "must not be before its forerunner", "correct it"
                )
            before = np.fmax(before, now)

    @classmethod
    def of(
        cls,
        records: Iterable[Sent],
        *,
        midnight_at: datetime,
        areas: Mapping[str, int] | None = None,
        unanswered: int = 0,
        n_units: int = 0,
    ) -> Responses:
        """Return the columns of records.

        Parameters
        ----------
        records : iterable of Sent
            Such as the assignments of live dispatch.
        midnight_at : datetime
            A midnight of the district's own clock, from which hours are counted.
        areas : mapping, optional
            Number of the place of each incident; 0 where left out.
        unanswered : int
            Incidents to which nobody was sent.
        n_units : int
            Units there are; those that were sent where these are more.
        """
        rows = list(records)
        incidents = {name: k for k, name in enumerate(dict.fromkeys(one.incident_id for one in rows))}
        units = {name: k for k, name in enumerate(dict.fromkeys(one.unit_id for one in rows))}

        def column(moments: Sequence[datetime | None]) -> Floats:
            since = [math.nan if at is None else (at - midnight_at).total_seconds() for at in moments]
            return np.array(since, float)

        return cls(
            incident=np.array([incidents[one.incident_id] for one in rows], np.int64),
            unit=np.array([units[one.unit_id] for one in rows], np.int64),
            area=np.array([(areas or {}).get(one.incident_id, 0) for one in rows], np.int64),
            received_s=column([one.received_at for one in rows]),
            dispatched_s=column([one.dispatched_at for one in rows]),
            en_route_s=column([one.en_route_at for one in rows]),
            on_scene_s=column([one.on_scene_at for one in rows]),
            available_s=column([one.available_at for one in rows]),
            expected_s=np.array([math.nan if one.expected_s is None else one.expected_s for one in rows], float),
            n_incidents=len(incidents) + unanswered,
            n_units=max(len(units), n_units),
        )

    def first(self) -> Ints:
        """Return the rows of the units that were first on scene, one for each incident that somebody reached."""
        there = np.flatnonzero(np.isfinite(self.on_scene_s))
        order = there[np.lexsort([self.on_scene_s[there], self.incident[there]])]
        _, begin = np.unique(self.incident[order], return_index=True)
        return np.asarray(order[begin], np.int64)

    def response_s(self) -> Floats:
        """Return for each incident that was reached the time from receipt to the first unit on scene, s."""
        rows = self.first()
        return np.asarray(self.on_scene_s[rows] - self.received_s[rows], float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``n`` of so many, with its 95 % interval; None of nobody."""

    n: int
    of: int
    share: float | None
    low: float | None
    high: float | None


def share_of(n: int, of: int, level: float = 0.95) -> Share:
    r"""Return a share with Wilson's interval.

    .. math:: \frac{\hat p + z^2/2n \pm z \sqrt{\hat p (1 - \hat p)/n + z^2/4n^2}}{1 + z^2/n}

    References
    ----------
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Examples
    --------
    >>> made = share_of(90, 100)
    >>> round(made.low, 3), round(made.high, 3)
    (0.826, 0.945)
    """
    if not 0 <= n <= of:
        raise BadInput(f"{n} of {of}", "must be 0..n", "correct it")
    if of == 0:
        return Share(n=0, of=0, share=None, low=None, high=None)
    z, p = float(ndtri(0.5 + level / 2)), n / of
    middle, scale = (p + z * z / (2 * of)), 1 + z * z / of
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    low, high = max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
    return Share(n=n, of=of, share=p, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fractile:
    """A fractile in s with its 95 % interval; the ends are None where so few incidents cannot tell them."""

    fractile: float
    value_s: float
    low_s: float | None
    high_s: float | None


def fractile_of(seconds: Floats, fractile: float, level: float = 0.95) -> Fractile:
    """Return a fractile with the interval that order statistics give, whatever the distribution.

    References
    ----------
    W. J. Conover (1999), "Practical nonparametric statistics", section 3.2.

    Examples
    --------
    >>> made = fractile_of(np.arange(1.0, 101.0), 0.5)
    >>> made.value_s, made.low_s, made.high_s
    (50.5, 40.0, 61.0)
    """
    known = np.sort(seconds[np.isfinite(seconds)])
    n = len(known)
    if n == 0 or not 0 < fractile < 1:
        raise BadInput(f"fractile={fractile} of {n} times", "must be in 0..1, of at least one time", "correct it")
    low = int(scipy.stats.binom.ppf((1 - level) / 2, n, fractile)) - 1
    high = int(scipy.stats.binom.ppf((1 + level) / 2, n, fractile))
    return Fractile(
        fractile=fractile,
        value_s=float(np.quantile(known, fractile)),
        low_s=float(known[low]) if low >= 0 else None,
        high_s=float(known[high]) if high < n else None,
    )


def in_time(responses: Responses, within_s: float) -> Share:
    """Return the share of all incidents, also those that nobody reached, whose first unit came in time."""
    return share_of(int((responses.response_s() <= within_s).sum()), responses.n_incidents)


def in_time_by(responses: Responses, within_s: float, by: str = "area") -> dict[int, Share]:
    """Return the share in time by ``area`` or by ``hour`` of the day, of incidents to which somebody was sent."""
    if by not in {"area", "hour"}:
        raise BadInput(f"by={by!r}", "must be area or hour", "choose one")
    _, begin = np.unique(responses.incident, return_index=True)
    group = responses.area if by == "area" else (responses.received_s % 86400 // HOUR_S).astype(np.int64)
    in_all = dict(zip(responses.incident[begin].tolist(), group[begin].tolist(), strict=True))
    kept = responses.first()[responses.response_s() <= within_s]
    n = np.bincount(list(in_all.values())) if in_all else np.zeros(0, np.int64)
    good = np.bincount([in_all[int(k)] for k in responses.incident[kept]], minlength=len(n)) if len(kept) else 0 * n
    return {int(k): share_of(int(good[k]), int(n[k])) for k in np.flatnonzero(n)}


def busy_share(responses: Responses, duty_s: npt.ArrayLike, until_s: float) -> Floats:
    """Return for each unit (U,) the share of its time on duty for which it was busy.

    ``duty_s`` (U,) or one number is how long it was on duty, s; whoever is not free yet is busy until ``until_s``.
    """
    duty = np.broadcast_to(np.asarray(duty_s, float), (responses.n_units,))
    if not (duty > 0).all():
        raise BadInput("duty_s", "must be > 0 s", "leave out units that were not on duty")
    end = np.where(np.isnan(responses.available_s), until_s, np.minimum(responses.available_s, until_s))
    spent = np.maximum(end - responses.dispatched_s, 0.0)
    return np.asarray(np.bincount(responses.unit, spent, responses.n_units) / duty, float)


def patrols_per_km2_hour(patrol_s: npt.ArrayLike, area_km2: npt.ArrayLike, hours: float) -> Floats:
    r"""Return patrols per square kilometre and hour.

    .. math:: \rho_a = \frac{\sum_u t_{ua} / 3600}{A_a \, H}

    with :math:`t_{ua}` the seconds for which unit u patrolled area a, :math:`A_a` its ground in km² and H the hours
    looked at: one unit that stays for the whole time in one square kilometre is 1.

    Parameters
    ----------
    patrol_s : array of shape (U, A)
        Sums by unit and area; no track is needed or kept.
    area_km2 : array of shape (A,)
    hours : float

    Examples
    --------
    >>> patrols_per_km2_hour([[3600.0, 0.0], [1800.0, 1800.0]], [0.5, 2.0], hours=1).tolist()
    [3.0, 0.25]
    """
    spent, ground = np.atleast_2d(np.asarray(patrol_s, float)), np.asarray(area_km2, float)
    if spent.shape[1:] != ground.shape or not (ground > 0).all() or not hours > 0 or not (spent >= 0).all():
        raise BadInput(
            f"patrol_s of shape {spent.shape}, area_km2 of shape {ground.shape}, hours={hours}",
            "must be (units, areas) >= 0 s, (areas,) > 0 km², > 0 h",
            "correct it",
        )
    return np.asarray(spent.sum(axis=0) / HOUR_S / (ground * hours), float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What each segment may take, s; the rest of the promise is for the way."""

    dispatch_s: float = 30.0
    turnout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One broken promise: which incident, by how much, and which segment took most beyond its allowance."""

    incident: int
    area: int
    received_s: float
    late_s: float
    """Infinite where nobody came."""
    cause: Cause


def broken(responses: Responses, within_s: float | Floats, allowance: Allowance | None = None) -> tuple[Broken, ...]:
    """Return every broken promise with its cause, in the order of time; ``within_s`` is one for all, or by incident.

    Of the unit that came first, each segment is held against what it may take: dispatch and turn-out against their
    allowance, the way that was expected against what is left of the promise (far), the way that it took against what
    was expected (slow travel). The one that is most over is the cause. Where the dispatch is, it is that no unit was
    free if at the receipt every unit known was busy. Where nothing was expected, no travel is told slow.
    """
    allowed = allowance or Allowance()
    made = []
    firsts = responses.first()
    limits = np.broadcast_to(np.asarray(within_s, float), (responses.n_incidents,))
    for row in firsts:
        took, limit = float(responses.on_scene_s[row] - responses.received_s[row]), limits[responses.incident[row]]
        if took > limit:
            made.append(_broken(responses, int(row), took - limit, _over(responses, int(row), limit, allowed)))
    reached = set(responses.incident[firsts].tolist())
    _, begin = np.unique(responses.incident, return_index=True)
    made += [
        _broken(responses, int(row), math.inf, {Cause.NOBODY_CAME: 1.0})
        for row in begin
        if int(responses.incident[row]) not in reached
    ]
    return tuple(sorted(made, key=lambda one: (one.received_s, one.incident)))


def _broken(responses: Responses, row: int, late_s: float, over: Mapping[Cause, float]) -> Broken:
    return Broken(
        incident=int(responses.incident[row]),
        area=int(responses.area[row]),
        received_s=float(responses.received_s[row]),
        late_s=late_s,
        cause=max(over, key=lambda cause: over[cause]),
    )


def _over(responses: Responses, row: int, within_s: float, allowed: Allowance) -> dict[Cause, float]:
    """Return by how many seconds each segment of one response was over."""
    told, there = float(responses.dispatched_s[row]), float(responses.on_scene_s[row])
    set_off = float(responses.en_route_s[row])
    if math.isnan(set_off):
        set_off = min(told + allowed.turnout_s, there)
    received = float(responses.received_s[row])
    busy = (responses.dispatched_s <= received) & ~(responses.available_s <= received)
    nobody = len(np.unique(responses.unit[busy])) >= responses.n_units
    travel, left = there - set_off, within_s - allowed.dispatch_s - allowed.turnout_s
    expected = float(responses.expected_s[row]) - min(set_off - told, allowed.turnout_s)
    way = travel if math.isnan(expected) else max(0.0, min(expected, travel))
    return {
        Cause.NO_UNIT_FREE if nobody else Cause.LATE_DISPATCH: told - received - allowed.dispatch_s,
        Cause.SLOW_TURNOUT: set_off - told - allowed.turnout_s,
        Cause.FAR: way - left,
        Cause.SLOW_TRAVEL: travel - way,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A share that was planned beside the one that was reached; ``kept`` is None where the interval holds both."""

    planned: float
    achieved: Share
    kept: bool | None


def planned_against_achieved(planned: float, achieved: Share) -> Planned:
    """Return whether a planned share in time was reached: True or False only where chance cannot explain it."""
    if not 0 <= planned <= 1:
        raise BadInput(f"planned={planned}", "must be in 0..1", "give the planned share")
    kept = None
    if achieved.low is not None and achieved.high is not None and not achieved.low <= planned <= achieved.high:
        kept = achieved.low > planned
    return Planned(planned=planned, achieved=achieved, kept=kept)
