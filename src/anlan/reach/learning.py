"""What a district's own past teaches dispatch: where help will be needed, and how right its arrivals are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from anlan.kernel.pack import Pack
from anlan.kernel.response import Assignment, Incident, UnitNow
from anlan.response.demand import Calls, DemandRates, fit_demand, hours_of, slot_of
from anlan.response.dispatch import Demand
from anlan.response.travel import ArrivalFit, Runs, fit_arrivals
from anlan.response.travel.fitting import FEWEST

FEWEST_INCIDENTS = 200
"""Fewer tell less of where the next one will be than streets and places do."""
MOST = 3000
"""Only the last so many are learned from: streets change, and learning is to take seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned; None where too little was recorded to learn from."""

    demand: DemandRates | None = None
    fit: ArrivalFit | None = None


def learn(
    pack: Pack, incidents: Iterable[Incident], assignments: Iterable[Assignment], units: Iterable[UnitNow], at: datetime
) -> Learned:
    """Return what the incidents and arrivals kept so far teach.

    Parameters
    ----------
    pack : Pack
    incidents, assignments : iterables
        All that are kept; what was withdrawn teaches nothing.
    units : iterable of UnitNow
        An arrival is learned by the kind of its unit; one that is gone teaches of no kind.
    at : datetime
        Now; aware.
    """
    real = {one.incident_id: one for one in incidents if one.outcome != "withdrawn"}
    kinds = {one.unit.unit_id: one.unit.kind for one in units}
    zone = ZoneInfo(pack.time_zone)
    return Learned(demand=_demand(pack, list(real.values()), zone, at), fit=_fit(pack, real, assignments, kinds, zone))


def _demand(pack: Pack, incidents: Sequence[Incident], zone: ZoneInfo, at: datetime) -> DemandRates | None:
    level = demand_level(pack)
    if level is None:
        return None
    known = [(one, area) for one in incidents if (area := pack.areas.at(one.lon, one.lat, level)) is not None]
    if len(known) < FEWEST_INCIDENTS:
        return None
    begin = min(one.received_at for one, _ in known)
    calls = Calls(
        area_id=[area.area_id for _, area in known],
        kind=[one.kind for one, _ in known],
        slot=np.array([slot_of(one.received_at.astimezone(zone)) for one, _ in known]),
        hours=hours_of(begin.astimezone(zone).replace(tzinfo=None), at.astimezone(zone).replace(tzinfo=None)),
    )
    return fit_demand(pack.areas, level, calls)


def demand_level(pack: Pack) -> str | None:
    """Return the finest level whose areas are all drawn; None where there is none below the whole."""
    for level in reversed(pack.areas.levels):
        areas = pack.areas.of_level(level.key)
        if len(areas) > 1 and all(area.polygon is not None for area in areas):
            return level.key
    return None


def _fit(
    pack: Pack, incidents: dict[str, Incident], assignments: Iterable[Assignment], kinds: dict[str, str], zone: ZoneInfo
) -> ArrivalFit | None:
    rows = [
        (part, incidents[part.incident_id], (part.on_scene_at - part.dispatched_at).total_seconds())
        for part in assignments
        if part.on_scene_at is not None
        and part.nominal_s is not None
        and part.incident_id in incidents
        and part.unit_id in kinds
    ]
    rows = sorted((row for row in rows if row[2] > 0), key=lambda row: row[0].dispatched_at)[-MOST:]
    if len(rows) < FEWEST:
        return None
    local = [part.dispatched_at.astimezone(zone) for part, _, _ in rows]
    x, y = pack.projection.to_metres([to.lon for _, to, _ in rows], [to.lat for _, to, _ in rows])
    runs = Runs(
        nominal_s=np.array([part.nominal_s for part, _, _ in rows], float),
        hour=np.array([one.hour + one.minute / 60 for one in local]),
        origin=[kinds[part.unit_id] for part, _, _ in rows],
        x_m=np.asarray(x, float),
        y_m=np.asarray(y, float),
    )
    return fit_arrivals(runs, np.array([taken for _, _, taken in rows]))


def demand_at(pack: Pack, usual: Demand, rates: DemandRates | None, at: datetime) -> Demand:
    """Return the demand of an hour of the week by learned rates; as it was where none were learned.

    An area's rate is shared by its points as streets and places let expect. Points outside all areas keep their share.
    """
    if rates is None:
        return usual
    slot = slot_of(at.astimezone(ZoneInfo(pack.time_zone)))
    per_hour = sum(rates.per_hour(kind, slot) for kind in rates.kinds)
    number = {area_id: k for k, area_id in enumerate(rates.area_ids)}
    lon, lat = pack.projection.to_degrees(usual.x_m, usual.y_m)
    held = [pack.areas.at(float(x), float(y), rates.level) for x, y in zip(lon, lat, strict=True)]
    row = np.array([-1 if area is None else number[area.area_id] for area in held], np.int64)
    inside = row >= 0
    of_area = np.bincount(row[inside], usual.weight[inside], len(number))
    reached = of_area > 0
    total = float(np.asarray(per_hour)[reached].sum())
    if total <= 0:
        return usual
    share = float(usual.weight[inside].sum() / usual.weight.sum())
    weight = usual.weight / usual.weight.sum()
    rate = np.asarray(per_hour, float) / np.where(reached, of_area, 1.0) / total
    weight[inside] = usual.weight[inside] * rate[row[inside]] * share
    return replace(usual, weight=weight)
