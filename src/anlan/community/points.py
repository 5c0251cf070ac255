"""Service points: where residents find somebody, at which hours, and who lives within a walk of one."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Calendar, Label

Floats = npt.NDArray[np.float64]

KINDS: Mapping[str, Label] = {
    "police_room": {"zh": "警务室", "en": "police room"},
    "peace_house": {"zh": "平安屋", "en": "peace house"},
    "legal_contact": {"zh": "司法联络点", "en": "legal contact point"},
    "mediation_room": {"zh": "调解室", "en": "mediation room"},
    "volunteer_post": {"zh": "志愿者服务站", "en": "volunteer post"},
    "aed": {"zh": "除颤仪点位", "en": "defibrillator"},
    "window": {"zh": "便民窗口", "en": "service window"},
}
COLUMNS = ("id", "kind", "lon", "lat", "name_zh", "name_en", "hours")
_HOURS = re.compile(r"(?:(working|rest) )?(\d{2}):(\d{2})-(\d{2}):(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A stretch of a day at which a point is open, minutes after midnight; ``days`` is working, rest or empty (all)."""

    begin_min: int
    end_min: int
    days: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePoint:
    """A place where residents find somebody. ``opening`` is None where nobody has told its hours: unknown, not shut."""

    point_id: str
    kind: str
    name: Label
    lon: float
    lat: float
    opening: tuple[Opening, ...] | None = None

    def is_open(self, at: datetime, zone: ZoneInfo, calendar: Calendar) -> bool | None:
        """Tell whether it is open at a moment; None where its hours are not known."""
        if self.opening is None:
            return None
        local = as_utc(at, "at").astimezone(zone)
        minute = local.hour * 60 + local.minute
        days = "working" if calendar.is_working(local.date()) else "rest"
        return any(one.begin_min <= minute < one.end_min and one.days in {"", days} for one in self.opening)


def read_opening(text: str) -> tuple[Opening, ...] | None:
    """Return the hours that a text tells, None where it is empty.

    Raises
    ------
    BadInput
        If a part is not like ``08:00-20:00``, with ``working`` or ``rest`` before it where that matters.

    Examples
    --------
    >>> [one.end_min for one in read_opening("working 08:30-17:30; rest 10:00-16:00")]
    [1050, 960]
    """
    if not text.strip():
        return None
    found = []
    for part in text.split(";"):
        fits = _HOURS.fullmatch(part.strip())
        numbers = [int(one) for one in fits.groups()[1:]] if fits else []
        begin, end = (numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]) if fits else (0, 0)
        if fits is None or not begin < end <= 1440 or max(numbers[1], numbers[3]) > 59:
            rule = "must be like 08:00-20:00, or working 08:30-17:30; rest 10:00-16:00"
            raise BadInput(f"hours {part.strip()!r}", rule, "correct it; leave it empty where nobody knows")
        found.append(Opening(begin_min=begin, end_min=end, days=fits[1] or ""))
    return tuple(found)


def read_points(text: str, where: str = "service_points.csv") -> tuple[ServicePoint, ...]:
    """Return the points of a table with the columns of `COLUMNS`.

    Raises
    ------
    BadInput
        If a column is missing, or a line does not fit; all of them are told.
    """
    reader = csv.DictReader(StringIO(text))
    missing = [one for one in COLUMNS if one not in (reader.fieldnames or ())]
    if missing:
        raise BadInput(f"{where} without {', '.join(missing)}", f"must have {', '.join(COLUMNS)}", "add the columns")
    faults: list[str] = []
    found: dict[str, ServicePoint] = {}
    for row in reader:
        try:
            made = _point(row)
            if made.point_id in found:
                faults.append(f"line {reader.line_num}: {made.point_id!r} comes twice")
            found[made.point_id] = made
        except (BadInput, ValueError, TypeError) as fault:
            faults.append(f"line {reader.line_num}: {fault}")
    if faults:
        raise BadInput(where, f"has {len(faults)} faults: {'; '.join(faults[:20])}", "correct every one of these")
    return tuple(found.values())


def _point(row: Mapping[str, str]) -> ServicePoint:
    lon, lat = float(row["lon"]), float(row["lat"])
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise BadInput(f"at ({lon:g}, {lat:g})", "must be degrees, longitude first", "swap or correct them")
    if row["kind"] not in KINDS:
        raise BadInput(f"kind={row['kind']!r}", f"must be one of {', '.join(KINDS)}", "choose one")
    if not row["id"].strip() or not row["name_zh"].strip() or not row["name_en"].strip():
        raise BadInput("id, name_zh and name_en", "must be given", "fill them in")
    return ServicePoint(
        point_id=row["id"].strip(), kind=row["kind"], name={"zh": row["name_zh"].strip(), "en": row["name_en"].strip()},
        lon=lon, lat=lat, opening=read_opening(row["hours"]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What part lives (or lies) within a walk of a point. None where there is nobody, or nothing, to reckon with."""

    within_s: float
    residents: float | None
    ground: float | None


def shares(
    nearest_s: Floats, residents: Floats, ground_m2: Floats, limits_s: Sequence[float], which: npt.NDArray[np.bool_]
) -> tuple[Share, ...]:
    """Return the share of residents and of ground that is within each limit of its nearest point.

    Parameters
    ----------
    nearest_s : float64, shape (n,)
        Walk from each piece of ground to the nearest point, s; infinite where there is none in reach.
    residents, ground_m2 : float64, shape (n,)
        Who lives on each piece, and how large it is.
    limits_s : sequence of float
        Walks that count as near, s.
    which : bool, shape (n,)
        The pieces that are reckoned with.

    Examples
    --------
    >>> near = np.array([100.0, 400.0, np.inf])
    >>> ones = np.ones(3)
    >>> [round(one.residents, 2) for one in shares(near, ones, ones, (300, 600), np.array([True] * 3))]
    [0.33, 0.67]
    """

    def part(weight: Floats, inside: npt.NDArray[np.bool_]) -> float | None:
        total = float(weight[which].sum())
        return float(weight[which & inside].sum()) / total if total > 0 else None

    return tuple(
        Share(within_s=one, residents=part(residents, nearest_s <= one), ground=part(ground_m2, nearest_s <= one))
        for one in limits_s
    )


def kinds_of(points: Iterable[ServicePoint]) -> tuple[str, ...]:
    """Return the kinds that there are points of, in the order of `KINDS`."""
    there = {one.kind for one in points}
    return tuple(kind for kind in KINDS if kind in there)
