"""What the gates of closed places have counted since the start, with account of what they have not sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from anlan.crowd.gates import Gates, add, impute, nothing_new, settle, variance
from anlan.kernel.records import Observation

Floats = npt.NDArray[np.float64]

BY_GATE = (
    "net",
    "through",
    "crowded",
    "counted_s",
    "in_per_min",
    "out_per_min",
    "usual_in",
    "usual_out",
    "imputed_in",
    "imputed_out",
    "imputed_s",
    "doubt",
    "moved_var",
)


LEAST = ("least", "least_through", "least_crowded", "least_var")


@dataclass(frozen=True, eq=False, kw_only=True)
class Balance:
    """Sums over the windows that each gate has sent. All of shape (n_gates,), times in seconds since 1970.

    Attributes
    ----------
    net, through, crowded
        In minus out, half of in plus out, and in minus out each weighed by how full its gate was then, persons.
    counted_s
        Length of all windows together.
    newest_s, settled_s, open_since_s
        End of the newest window; until when windows come too late; since when windows before the newest are missing;
        NaN where there is none.
    in_per_min, out_per_min, usual_in, usual_out
        Present flow, and over hours, persons per minute.
    imputed_in, imputed_out, imputed_s, doubt
        Persons put in for windows that have not come, the length of these, and by how many persons they may stray.
    moved_var
        What of the variance of the imputed has gone over to the offset of the cordon.
    begin_s : float64, shape (n_cordons,)
        Begin of the first window of any gate of the cordon; NaN where nothing has come.
    least, least_through, least_crowded, least_var : float64, shape (n_cordons,)
        The lowest net of the cordon in the night so far; through-flow, crowded net and the variance of what was imputed
        then; NaN by day.
    base_net, base_through, base_crowded : float64, shape (n_cordons,)
        The same at the last night's lowest, which those of the cordon are told from.
    dawns : float64, shape (n_cordons,)
        How many nights have told how few were inside.
    """

    net: Floats
    through: Floats
    crowded: Floats
    counted_s: Floats
    newest_s: Floats
    settled_s: Floats
    open_since_s: Floats
    in_per_min: Floats
    out_per_min: Floats
    usual_in: Floats
    usual_out: Floats
    imputed_in: Floats
    imputed_out: Floats
    imputed_s: Floats
    doubt: Floats
    moved_var: Floats
    begin_s: Floats
    least: Floats
    least_through: Floats
    least_crowded: Floats
    least_var: Floats
    base_net: Floats
    base_through: Floats
    base_crowded: Floats
    dawns: Floats

    @classmethod
    def nothing(cls, n_gates: int, n_cordons: int) -> Balance:
        """Return the balance before anything came."""
        sums = {name: np.zeros(n_gates) for name in BY_GATE}
        times = {name: np.full(n_gates, np.nan) for name in ("newest_s", "settled_s", "open_since_s")}
        cordons = {name: np.full(n_cordons, np.nan) for name in ("begin_s", *LEAST)}
        cordons |= {name: np.zeros(n_cordons) for name in ("base_net", "base_through", "base_crowded", "dawns")}
        return cls(**sums, **times, **cordons)

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays by name, as they are serialised."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Told:
    """What the balance says of each cordon since its last dawn, in persons: all of shape (n_cordons,).

    ``net`` and ``through`` with what was imputed, the variance of that, and ``missing_var``, as much of it as the
    offset does not hold yet; both infinite where no gate has spoken. ``crowded`` is the net of who was counted, weighed
    by how full the gates were. ``untold``: no night has told of it yet.
    """

    net: Floats
    through: Floats
    crowded: Floats
    imputed_var: Floats
    missing_var: Floats
    untold: npt.NDArray[np.bool_]


def taken(
    gates: Gates, balance: Balance, seen: Iterable[Observation], at: datetime, miss: float, wait_s: float
) -> tuple[Balance, Floats]:
    """Return the balance with new windows, and the variance that each cordon's offset has to take over.

    A window may come late or out of order, its sum is the same: what was put in for it is taken out again (see
    :func:`anlan.crowd.gates.impute`). What a gate has not sent for ``wait_s`` strays the same way minute by minute, so
    its variance goes over to the offset. Once the gate speaks again, windows that it left out are waited for as long,
    and then settled. A count beyond what can cross the gate is not taken, and is missing.

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
    new = nothing_new(len(gates.cordon))
    for one in seen:
        k = gates.index.get(one.device_id)
        if k is not None and one.n_in is not None and one.n_out is not None:
            add(now, new, gates, k, one, miss)
    impute(now, new, gates, at.timestamp())
    silent_s = np.nan_to_num(at.timestamp() - now["newest_s"], nan=np.inf)
    hole_s = np.maximum(now["imputed_s"] - np.maximum(silent_s, 0.0), 0.0)
    is_open = hole_s > 1.0
    since = np.where(is_open & np.isnan(now["open_since_s"]), at.timestamp(), now["open_since_s"])
    given_up = is_open & (at.timestamp() - since > wait_s)
    var = variance(now)
    goes_over = np.where(given_up | (silent_s > wait_s), np.maximum(var - now["moved_var"], 0.0), 0.0)
    now["moved_var"] += goes_over
    settle(now, given_up, now["newest_s"], hole_s / np.maximum(now["imputed_s"], 1.0))
    now["open_since_s"] = np.where(is_open & ~given_up, since, np.nan)
    return Balance(**now), gates.summed(goes_over)


def told(gates: Gates, balance: Balance) -> Told:
    """Return what the balance says at the moment it was last taken."""
    spoken = gates.summed(np.isfinite(balance.newest_s)) > 0
    var = variance(balance.arrays())
    whole, left = (gates.summed(values) for values in (var, np.maximum(var - balance.moved_var, 0.0)))
    return Told(
        net=gates.summed(balance.net + balance.imputed_in - balance.imputed_out) - balance.base_net,
        through=gates.summed(balance.through + (balance.imputed_in + balance.imputed_out) / 2) - balance.base_through,
        crowded=gates.summed(balance.crowded) - balance.base_crowded,
        imputed_var=np.where(spoken, whole, np.inf),
        missing_var=np.where(spoken, left, np.inf),
        untold=balance.dawns == 0,
    )


def watched_at_night(balance: Balance, told: Told, *, night: bool) -> Balance:
    """Return the balance with the lowest net of each cordon since the night began; by day it is forgotten."""
    if not night:
        return replace(balance, **{name: np.full(len(balance.least), np.nan) for name in LEAST})
    lower = np.isfinite(told.missing_var) & ~(told.net >= balance.least)
    return replace(
        balance,
        least=np.where(lower, told.net, balance.least),
        least_through=np.where(lower, told.through, balance.least_through),
        least_crowded=np.where(lower, told.crowded, balance.least_crowded),
        least_var=np.where(lower, told.imputed_var, balance.least_var),
    )


def begun_anew(gates: Gates, balance: Balance, watched: npt.NDArray[np.bool_], at_s: float) -> Balance:
    """Return the balance of watched cordons (n_cordons,) told from the night's lowest; what was imputed is settled."""
    now = {name: values.copy() for name, values in balance.arrays().items()}
    settle(now, watched[gates.cordon], at_s)
    now["base_net"] += np.where(watched, balance.least, 0.0)
    now["base_through"] += np.where(watched, balance.least_through, 0.0)
    now["base_crowded"] += np.where(watched, balance.least_crowded, 0.0)
    now["dawns"] += watched
    return Balance(**now)
