"""What the gates of closed places have counted since the start, with account of what they have not sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from anlan.kernel.records import Observation

Floats = npt.NDArray[np.float64]

RATE_MIN = 20.0
"""Minutes over which the usual flow of a gate is remembered."""
NET_SPREAD = 0.15
"""How far in minus out of a gate may stray from its usual, as a part of its gross flow, while it sends nothing."""
FLOW_LIMIT = 164.0
"""Crossings per minute and metre beyond which a count cannot be true: twice the capacity of a walkway."""
LEAST_WIDTH_M = 4.0
"""A gate is taken to be at least this wide: maps draw some as points."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gates:
    """The gates of all closed places: the cordon of each, and the most that can cross it."""

    index: Mapping[str, int]
    cordon: npt.NDArray[np.int64]
    limit_per_min: Floats
    n_cordons: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Balance:
    """Sums over the windows that each gate has sent. All of shape (n_gates,), times in seconds since 1970.

    Attributes
    ----------
    net, through
        In minus out, and half of in plus out, persons.
    counted_s
        Length of all windows together.
    newest_s
        End of the newest window; NaN where nothing has come.
    net_per_min, gross_per_min
        Usual flow.
    open_since_s
        Since when windows before the newest are missing; NaN where none is.
    begin_s : float64, shape (n_cordons,)
        Begin of the first window of any gate of the cordon; NaN where nothing has come.
    least, least_through : float64, shape (n_cordons,)
        The lowest net of the cordon in the night so far, and the through-flow then; NaN by day.
    base_net, base_through : float64, shape (n_cordons,)
        The same at the last night's lowest, which net and through-flow of the cordon are told from.
    dawns : float64, shape (n_cordons,)
        How many nights have told how few were inside.
    """

    net: Floats
    through: Floats
    counted_s: Floats
    newest_s: Floats
    net_per_min: Floats
    gross_per_min: Floats
    open_since_s: Floats
    begin_s: Floats
    least: Floats
    least_through: Floats
    base_net: Floats
    base_through: Floats
    dawns: Floats

    @classmethod
    def nothing(cls, n_gates: int, n_cordons: int) -> Balance:
        """Return the balance before anything came."""
        sums = {name: np.zeros(n_gates) for name in ("net", "through", "counted_s", "net_per_min", "gross_per_min")}
        times = {name: np.full(n_gates, np.nan) for name in ("newest_s", "open_since_s")}
        cordons = {name: np.full(n_cordons, np.nan) for name in ("begin_s", "least", "least_through")}
        cordons |= {name: np.zeros(n_cordons) for name in ("base_net", "base_through", "dawns")}
        return cls(**sums, **times, **cordons)

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays by name, as they are serialised."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Told:
    """What the balance says of each cordon since its last dawn, in persons: all of shape (n_cordons,).

    ``net`` with what is missing put at its usual flow, ``through``, and the variance of what is missing; infinite where
    no gate has spoken.
    """

    net: Floats
    through: Floats
    missing_var: Floats


def taken(
    gates: Gates, balance: Balance, seen: Iterable[Observation], at: datetime, miss: float, wait_s: float
) -> tuple[Balance, Floats]:
    """Return the balance with new windows, and the variance that each cordon has lost for good.

    A window may come late or out of order, its sum is the same. One that never comes is given up ``wait_s`` after its
    gap opened: the gap is closed by the usual flow, and its variance goes over to the offset of the cordon. A count
    beyond what can cross the gate is not taken, and leaves such a gap.

    Parameters
    ----------
    gates : Gates
    balance : Balance
    seen : iterable of Observation
        Counts of gates among others.
    at : datetime
    miss : float
        Part of the crossings that a gate misses on average.
    wait_s : float

    Returns
    -------
    balance : Balance
    lost_var : float64, shape (n_cordons,)
        Persons squared.
    """
    now = {name: values.copy() for name, values in balance.arrays().items()}
    for one in seen:
        k = gates.index.get(one.device_id)
        if k is not None and one.n_in is not None and one.n_out is not None:
            _add(now, gates, k, one, miss)
    begin = now["begin_s"][gates.cordon]
    gap_s = np.nan_to_num(np.maximum(now["newest_s"] - begin - now["counted_s"], 0.0))
    is_open = gap_s > 1.0
    since = np.where(is_open & np.isnan(now["open_since_s"]), at.timestamp(), now["open_since_s"])
    given_up = is_open & (at.timestamp() - since > wait_s)
    minutes = np.where(given_up, gap_s / 60, 0.0)
    now["net"] += minutes * now["net_per_min"]
    now["through"] += minutes * now["gross_per_min"] / 2
    now["counted_s"] += minutes * 60
    now["open_since_s"] = np.where(is_open & ~given_up, since, np.nan)
    lost = _by_cordon(gates, _spread(now["gross_per_min"], minutes))
    return Balance(**now), lost


def _add(now: dict[str, Floats], gates: Gates, k: int, one: Observation, miss: float) -> None:
    seconds = (one.end_at - one.begin_at).total_seconds()
    minutes = seconds / 60
    n_in, n_out = float(one.n_in or 0), float(one.n_out or 0)
    cordon = gates.cordon[k]
    now["begin_s"][cordon] = np.fmin(now["begin_s"][cordon], one.begin_at.timestamp())
    first = np.isnan(now["newest_s"][k])
    now["newest_s"][k] = np.fmax(now["newest_s"][k], one.end_at.timestamp())
    if (n_in + n_out) / minutes > gates.limit_per_min[k]:
        return
    net, gross = (n_in - n_out) / (1 - miss), (n_in + n_out) / (1 - miss)
    now["net"][k] += net
    now["through"][k] += gross / 2
    now["counted_s"][k] += seconds
    weight = 1.0 if first else 1 - np.exp(-minutes / RATE_MIN)
    now["net_per_min"][k] += weight * (net / minutes - now["net_per_min"][k])
    now["gross_per_min"][k] += weight * (gross / minutes - now["gross_per_min"][k])


def told(gates: Gates, balance: Balance, at: datetime, wait_s: float) -> Told:
    """Return what the balance says at a moment; what has not come yet stands at its usual flow for a while."""
    begin = balance.begin_s[gates.cordon]
    heard = np.isfinite(balance.newest_s)
    span_s = np.where(np.isfinite(begin), at.timestamp() - begin, 0.0)
    missing = np.maximum(span_s - balance.counted_s, 0.0) / 60
    missing[missing < 1 / 60] = 0.0
    imputed = balance.net_per_min * np.minimum(missing, wait_s / 60)
    # A gate that never spoke is taken to pass as many as its neighbours do, and nothing is known of their balance.
    n_heard = _by_cordon(gates, heard.astype(float))
    usual = _by_cordon(gates, balance.gross_per_min * heard) / np.maximum(n_heard, 1)
    gross = np.where(heard, balance.gross_per_min, usual[gates.cordon])
    variance = np.where(heard, _spread(gross, missing), (gross * missing) ** 2)
    sums = [_by_cordon(gates, values) for values in (balance.net + imputed, balance.through, variance)]
    missing_var = np.where(n_heard > 0, sums[2], np.inf)
    return Told(net=sums[0] - balance.base_net, through=sums[1] - balance.base_through, missing_var=missing_var)


def watched_at_night(balance: Balance, told: Told, *, night: bool) -> Balance:
    """Return the balance with the lowest net of each cordon since the night began; by day it is forgotten."""
    if not night:
        nothing = np.full(len(balance.least), np.nan)
        return replace(balance, least=nothing, least_through=nothing)
    lower = np.isfinite(told.missing_var) & ~(told.net >= balance.least)
    return replace(
        balance,
        least=np.where(lower, told.net, balance.least),
        least_through=np.where(lower, told.through, balance.least_through),
    )


def _by_cordon(gates: Gates, values: Floats) -> Floats:
    return np.asarray(np.bincount(gates.cordon, values, gates.n_cordons), float)


def _spread(gross_per_min: Floats, minutes: Floats) -> Floats:
    """Return the variance of in minus out over minutes that are missing: its usual may be off, and people are whole."""
    return np.asarray((NET_SPREAD * gross_per_min * minutes) ** 2 + gross_per_min * minutes)


def gates_of(by_cordon: Sequence[Sequence[tuple[str, float]]]) -> Gates:
    """Return the gates of cordons, each given by its device id and width in metres."""
    flat = [(device_id, width_m, k) for k, gates in enumerate(by_cordon) for device_id, width_m in gates]
    widths = np.array([width_m for _, width_m, _ in flat], float)
    return Gates(
        index={device_id: k for k, (device_id, _, _) in enumerate(flat)},
        cordon=np.array([k for _, _, k in flat], np.int64),
        limit_per_min=FLOW_LIMIT * np.maximum(widths, LEAST_WIDTH_M),
        n_cordons=len(by_cordon),
    )
