"""The gates of closed places: which they are, how many pass each, and how many have passed those that send nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anlan.kernel.records import Observation

Floats = npt.NDArray[np.float64]
Sums = dict[str, Floats]

RATE_MIN = 20.0
"""Minutes over which the present flow of a gate is remembered."""
USUAL_MIN = 240.0
"""Minutes over which it is remembered what part of a closed place's people come and go by each gate."""
BEHIND_S, QUIET_S = 60.0, 180.0
"""A gate that is so far behind another of its place, or has sent nothing for so long, is taken to be silent."""
PART_SPREAD = 0.1
"""How far a gate's part of those who come, or go, strays from what it was before it fell silent."""
ALONE_SPREAD = 0.2
"""The same of its flow, where no gate of its place is heard."""
UNHEARD_SPREAD = 1.4
"""The same of a gate that never spoke, which is taken to pass as many as its neighbours do on average."""
CAPACITY = 82.0
"""Crossings per minute and metre of a walkway that is full (UK *Guide to Safety at Sports Grounds*)."""
FLOW_LIMIT = 2 * CAPACITY
"""Beyond it a count cannot be true."""
LEAST_WIDTH_M = 4.0
"""A gate is taken to be at least this wide: maps draw some as points."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gates:
    """The gates of all closed places: the cordon of each, and the most that can cross it."""

    index: Mapping[str, int]
    cordon: npt.NDArray[np.int64]
    limit_per_min: Floats
    n_cordons: int

    def summed(self, values: Floats | npt.NDArray[np.bool_]) -> Floats:
        """Return sums by cordon of a number of each gate, shape (n_cordons,)."""
        return np.asarray(np.bincount(self.cordon, values, self.n_cordons), float)


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


def nothing_new(n_gates: int) -> Sums:
    """Return what the gates have counted since last time, before they have: persons each way, and minutes."""
    return {name: np.zeros(n_gates) for name in ("in", "out", "minutes")}


def add(now: Sums, new: Sums, gates: Gates, k: int, one: Observation, miss: float) -> None:
    """Add a window to the sums of a gate, and to what is new; one of a time that is settled says nothing any more."""
    seconds = (one.end_at - one.begin_at).total_seconds()
    minutes, cordon = seconds / 60, gates.cordon[k]
    n_in, n_out = float(one.n_in or 0), float(one.n_out or 0)
    if one.end_at.timestamp() <= now["settled_s"][k]:
        return
    now["begin_s"][cordon] = np.fmin(now["begin_s"][cordon], one.begin_at.timestamp())
    now["newest_s"][k] = np.fmax(now["newest_s"][k], one.end_at.timestamp())
    if (n_in + n_out) / minutes > gates.limit_per_min[k]:
        return
    first = now["counted_s"][k] == 0
    n_in, n_out = n_in / (1 - miss), n_out / (1 - miss)
    now["net"][k] += n_in - n_out
    now["through"][k] += (n_in + n_out) / 2
    full = (n_in + n_out) / minutes * FLOW_LIMIT / CAPACITY / gates.limit_per_min[k]
    now["crowded"][k] += min(full, 1.0) * (n_in - n_out)
    now["counted_s"][k] += seconds
    new["minutes"][k] += minutes
    lately = 1.0 if first else 1 - math.exp(-minutes / RATE_MIN)
    usually = min(minutes / min(float(now["counted_s"][k]) / 60, USUAL_MIN), 1.0)
    for way, n in (("in", n_in), ("out", n_out)):
        new[way][k] += n
        _remember(now[f"{way}_per_min"], k, n / minutes, lately)
        _remember(now[f"usual_{way}"], k, n / minutes, usually)


def _remember(kept: Floats, k: int, rate: float, weight: float) -> None:
    """Take a rate into the memory of one: an average at first, over minutes or hours later."""
    kept[k] += weight * (rate - kept[k])


def impute(now: Sums, new: Sums, gates: Gates, now_s: float) -> None:
    r"""Put in, or take out again, what gates have counted in windows that have not come, or have come late.

    .. math:: \hat q_k = u_k\, \frac{\sum_{j \text{ heard}} q_j}{\sum_{j \text{ heard}} u_j}

    for those who come, and so for those who go, with the flow :math:`q` that each gate has counted since last time and
    its usual flow :math:`u`: people keep to their gates. What is put in strays the same way all the while, so its doubt
    grows with the time, not with its root.

    Parameters
    ----------
    now : dict of float64
        The sums of a balance by name, written into.
    new : dict of float64
        What the gates have counted since it was last done.
    gates : Gates
    now_s : float
        Seconds since 1970.
    """
    spread = _part_of_others(now, new, gates, now_s)
    begin = now["begin_s"][gates.cordon]
    missing_s = np.maximum(np.where(np.isfinite(begin), now_s - begin - now["counted_s"], 0.0), 0.0)
    missing_s[missing_s < 1.0] = 0.0
    came = np.divide(missing_s, now["imputed_s"], out=np.ones_like(missing_s), where=now["imputed_s"] > missing_s)
    for name in ("imputed_in", "imputed_out", "doubt", "moved_var"):
        now[name] *= came
    more = np.maximum(missing_s - now["imputed_s"], 0.0) / 60
    each = [more * now[f"{way}_per_min"] for way in ("in", "out")]
    for way, n in zip(("in", "out"), each, strict=True):
        now[f"imputed_{way}"] += n
        known_min = np.clip((now["counted_s"] + missing_s) / 60, 1e-9, USUAL_MIN)
        weight = np.minimum(more / known_min, 1.0)
        now[f"usual_{way}"] += weight * (now[f"{way}_per_min"] - now[f"usual_{way}"])
    now["doubt"] += spread * np.hypot(*each)
    now["imputed_s"] = missing_s


def _part_of_others(now: Sums, new: Sums, gates: Gates, now_s: float) -> Floats:
    """Set the present flow of silent gates by those that are heard; return by how much each strays, as a part of it."""
    heard, cordon = now["counted_s"] > 0, gates.cordon
    newest = np.full(gates.n_cordons, -np.inf)
    np.fmax.at(newest, cordon, now["newest_s"])
    quiet = ~((newest[cordon] - now["newest_s"] < BEHIND_S) & (now_s - now["newest_s"] <= QUIET_S))
    speaks = heard & ~quiet
    n_heard, live = gates.summed(heard), gates.summed(speaks) > 0
    usual_in = now["usual_in"]
    for way in ("in", "out"):
        usual, flow = now[f"usual_{way}"], now[f"{way}_per_min"]
        counted = _ratio(gates, new[way] * speaks, usual * new["minutes"] * speaks)
        lately = _ratio(gates, flow * speaks, usual * speaks)
        evenly = _ratio(gates, usual_in * heard, usual * heard)  # where none is heard, as many go as come
        busy = np.where(live, np.where(np.isfinite(counted), counted, lately), evenly)
        average = (gates.summed(usual * heard) / np.maximum(n_heard, 1))[cordon]
        now[f"{way}_per_min"] = np.where(
            quiet, np.where(heard, usual, average) * np.nan_to_num(busy, nan=1.0)[cordon], flow
        )
    known = np.where(live[cordon], PART_SPREAD, ALONE_SPREAD)
    return np.where(heard, known, UNHEARD_SPREAD)


def _ratio(gates: Gates, above: Floats, below: Floats) -> Floats:
    """Return the ratio of two sums by cordon, NaN where there is nothing below."""
    whole = gates.summed(below)
    return gates.summed(above) / np.where(whole > 0, whole, np.nan)


def variance(now: Mapping[str, Floats]) -> Floats:
    """Return the variance of what is imputed at each gate, persons squared: of its doubt, and as people are whole."""
    return np.asarray(now["doubt"] ** 2 + now["imputed_in"] + now["imputed_out"])


def settle(now: Sums, which: npt.NDArray[np.bool_], until_s: Floats | float, part: Floats | float = 1.0) -> None:
    """Take a part of what is imputed at some gates for counted; windows until then come too late."""
    kept = np.where(which, 1.0 - part, 1.0)
    for name, sign in (("imputed_in", 1.0), ("imputed_out", -1.0)):
        now["net"] += sign * (1 - kept) * now[name]
        now["through"] += (1 - kept) * now[name] / 2
    now["counted_s"] += (1 - kept) * now["imputed_s"]
    now["settled_s"] = np.where(which, np.fmax(now["settled_s"], until_s), now["settled_s"])
    for name in ("imputed_in", "imputed_out", "imputed_s", "doubt", "moved_var"):
        now[name] *= kept
