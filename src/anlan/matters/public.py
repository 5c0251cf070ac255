"""What residents report, what anybody may know of it, and what whoever holds the code of a report may know and do.

Nothing else of a case goes through here: no words, no notes of staff, no actor, and no point finer than its type says.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from anlan.cases import Action, Case, CaseType, Reading, closed_at, public_fields, read_clocks, ripe_steps
from anlan.cases.clocks import Phase
from anlan.cases.definition import ClockRule, PublicSide, Service, State, Transition
from anlan.kernel.access import Grant, Scope
from anlan.kernel.errors import BadInput, NotFound
from anlan.matters.follow import case_behind, keep_code, new_code
from anlan.matters.keeping import Matters, NewCase
from anlan.matters.rows import case_of
from anlan.matters.standing import ALWAYS, NARROW, Standing
from anlan.store import casebook, caselists
from anlan.store.casebook import Row, matter, micros
from anlan.store.caselists import Way, along

REPORTER = "reporter"
"""Who reports without a key, in the history and the log: the same for everybody."""
SPAN = timedelta(days=90)
MOST = 1000
"""How far a list goes, in time and in number, as Open311 says."""
PLACES = 4
"""Decimals of a degree of a point that goes out: some ten metres."""
NEAR_MOST, NEAR_LOOKED_AT = 5, 1000
AT_ONCE, LOOKED_AT = 200, 20_000
"""So many cases are read in one go, and looked at for one list; else a rare kind over a long time takes too long."""
METRES = 111_320.0
"""Of a degree of latitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service as residents choose it: the type and the option behind its code."""

    kind: CaseType
    side: PublicSide
    service: Service

    @property
    def code(self) -> str:
        """Return its code: the type and the option."""
        return f"{self.kind.type_id}.{self.service.option}"

    @property
    def name(self) -> Mapping[str, str]:
        """Return what it is called."""
        return self.kind.fields[self.side.by].options[self.service.option]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCase:
    """What anybody may know of a case. ``area_id`` and the point are as fine as its service says, and no finer.

    ``steps`` are the states of which whoever reported is told, each with the moment at which it was reached;
    ``ended_at`` is None while it is open.
    """

    request_id: str
    offer: Offer
    reported_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    fields: Mapping[str, Any]
    area_id: str
    owner_area_id: str
    lon: float | None
    lat: float | None
    clocks: tuple[tuple[ClockRule, Reading], ...]
    steps: tuple[tuple[State, datetime], ...]

    @property
    def state(self) -> State:
        """The last state that was told."""
        return self.steps[-1][0]

    @property
    def due_at(self) -> datetime | None:
        """When the next of its public limits is reached."""
        return min((one.due_at for _, one in self.clocks if one.due_at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What the holder of a code may know beside that, and the steps that they may take."""

    case: PublicCase
    told: Mapping[str, Any]
    questions: tuple[str, ...]
    shown: tuple[tuple[str, str], ...]
    steps: tuple[Transition, ...]
    n_changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which public cases are wanted. ``request_ids`` overrides everything else, as Open311 says."""

    request_ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    begin_at: datetime | None = None
    end_at: datetime | None = None
    closed: bool | None = None
    limit: int = MOST
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody reports: a service, the place as a point (degrees) or an area, words, and what the service asks.

    ``photo`` is the digest of a picture that was stored for this actor.
    """

    code: str
    lon: float | None = None
    lat: float | None = None
    area_id: str | None = None
    words: str = ""
    where: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    photo: str | None = None
    by_page: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What became of a report. The code is told this once."""

    request_id: str
    code: str
    case: PublicCase


def offers(matters: Matters) -> dict[str, Offer]:
    """Return what residents may report now, by code."""
    return {
        one.code: one
        for kind in matters.kinds.in_force.values()
        if (side := kind.public_side) is not None and _is_public(kind)
        for one in (Offer(kind=kind, side=side, service=each) for each in side.services.values())
    }


def offer_of(matters: Matters, code: str) -> Offer:
    """Return a service; NotFound where there is none of that code."""
    every = offers(matters)
    if code not in every:
        raise NotFound(f"service_code={code[:60]!r}", "does not exist", f"choose one of {', '.join(every) or 'none'}")
    return every[code]


def resident(matters: Matters, actor_id: str = REPORTER) -> Standing:
    """Return what residents may do: report, and take the steps of whoever reported. They read nothing by themselves."""
    top = matters.ground.root
    roles = {
        kind.type_id: (Grant(role_id=kind.public_side.role, area_id=top, from_at=ALWAYS),)
        for kind in matters.kinds.every()
        if kind.public_side is not None
    }
    nowhere, everywhere = Scope(False, frozenset()), Scope(True, frozenset())
    return Standing(actor_id=actor_id, reads=nowhere, acts=everywhere, roles=roles)


# -- reporting -------------------------------------------------------------------------------------------------------


def new_case(matters: Matters, report: Report) -> NewCase:
    """Return the case that a report would open; nothing is opened.

    Raises
    ------
    NotFound
        If there is no such service.
    BadInput
        If the place is missing or outside the district, or something that the service needs is.
    """
    offer = offer_of(matters, report.code)
    side, asks = offer.side, offer.service.asks
    for name in report.asked:
        if name not in asks:
            told = ", ".join(asks) or "none"
            raise BadInput(f"attribute {name[:60]!r}", f"must be one that {offer.code} asks", f"give any of: {told}")
    missing = [name for name in asks if name in offer.service.needs and name not in report.asked]
    if missing:
        told = ", ".join(missing)
        raise BadInput(f"attribute {told}", f"must be given for {offer.code}", "see the service's definition")
    filled = {side.by: offer.service.option, **report.asked}
    where, place = report.where.strip(), _place(matters, report)
    if report.lon is None and report.area_id is not None:
        where = "；".join(filter(None, (_any(matters.ground.areas.area(report.area_id).name), where)))
    words = report.words.strip() or _any(offer.name)
    if side.where is not None and where:
        filled[side.where] = where
    elif where:
        words = f"{words}（{where}）"
    filled[side.words] = words
    if side.source is not None:
        filled[side.source] = side.page if report.by_page else side.open311
    for name, value in filled.items():
        offer.kind.fields[name].check(value)
    evidence = {side.photo: report.photo} if side.photo and report.photo else {}
    return NewCase(type_id=offer.kind.type_id, filled=filled, evidence=evidence, **place)


def _any(label: Mapping[str, str]) -> str:
    return next(iter(label.values()))


def report(matters: Matters, told: Report, who: Standing) -> Reported:
    """Open a case for whoever reports, with a code by which they follow it.

    Raises
    ------
    NotFound, BadInput
        As `new_case` does.
    NotAllowed
        If ``who`` may not open such cases there.
    """
    new, code = new_case(matters, told), new_code()
    made = matters.open(new, who, beside=lambda connection, case_id: keep_code(connection, code, case_id))
    return Reported(request_id=made.case_id, code=code, case=public_case(matters, made.case_id))


def _place(matters: Matters, told: Report) -> dict[str, Any]:
    """Return where a report lies. An area that is too large to act on lies where its middle is, and has no point."""
    if told.lon is not None and told.lat is not None:
        if matters.ground.at(told.lon, told.lat) is None:
            place = f"the place {told.lon:.5f}, {told.lat:.5f}"
            raise BadInput(place, "must lie inside the district", "report it to whoever looks after that place")
        return {"lon": told.lon, "lat": told.lat}
    if told.area_id is None:
        raise BadInput("the place", "must be given", "give a point, or the name of a place or area of the district")
    matters.ground.range_of(told.area_id)
    areas, fine = matters.ground.areas, {one.key for one in matters.ground.areas.levels[-2:]}
    area = areas.area(told.area_id)
    if area.level not in fine or area.polygon is None:
        raise BadInput(f"area {told.area_id}", "is too large to find the place in", "give a smaller area, or a point")
    middle = area.polygon.representative_point()
    return {"area_id": matters.ground.at(middle.x, middle.y) or told.area_id}


# -- what anybody may know -------------------------------------------------------------------------------------------


def public_case(matters: Matters, request_id: str) -> PublicCase:
    """Return what anybody may know of a case.

    Raises
    ------
    NotFound
        If there is none, none that is public, or none any more: which of them is not told.
    """
    found = public_cases(matters, Wanted(request_ids=(request_id,)))
    if not found:
        raise _unknown(request_id)
    return found[0]


def public_cases(matters: Matters, wanted: Wanted) -> list[PublicCase]:
    """Return public cases, newest first.

    Raises
    ------
    BadInput
        If the span is longer than ninety days, ends before it begins, or holds more than can be looked through.
    """
    codes = frozenset(wanted.codes)
    with matters.store.reading() as connection:
        if wanted.request_ids:
            rows = [casebook.row_of(connection, one) for one in dict.fromkeys(wanted.request_ids[:MOST])]
            return list(_public(matters, connection, [one for one in rows if one is not None]))
        begin_at, end_at = _span(matters, wanted)
        between = matter.c.opened_at.between(micros(begin_at), micros(end_at))
        conditions = [between, *([] if wanted.closed is None else [matter.c.closed == int(wanted.closed)])]
        found = _walk(matters, connection, Way(tuple(conditions), along("opened")), codes)
        return list(islice(found, wanted.skip, wanted.skip + wanted.limit))


def _span(matters: Matters, wanted: Wanted) -> tuple[datetime, datetime]:
    """Return from when until when: the last ninety days, or ninety days from or to the one that was given."""
    now = matters.clock.now()
    begin_at, end_at = wanted.begin_at, wanted.end_at
    if begin_at is None:
        end_at = end_at or now
        begin_at = end_at - SPAN
    elif end_at is None:
        end_at = min(begin_at + SPAN, max(now, begin_at))
    if not begin_at <= end_at <= begin_at + SPAN:
        rule = f"must end after it begins, and span at most {SPAN.days} days"
        raise BadInput(f"{begin_at.isoformat()} to {end_at.isoformat()}", rule, "ask for it in parts")
    return begin_at, end_at


def near_report(matters: Matters, told: Report) -> list[PublicCase]:
    """Return open reports that may be of the same thing as one that is about to be sent.

    One that names an area without a point is compared only where the public reads no more than areas anyway.
    """
    if told.lon is not None and told.lat is not None:
        return near(matters, told.code, told.lon, told.lat)
    polygon = None if told.area_id is None else matters.ground.areas.area(told.area_id).polygon
    if polygon is None or offer_of(matters, told.code).service.place == "point":
        return []
    middle = polygon.representative_point()
    return near(matters, told.code, middle.x, middle.y)


def near(matters: Matters, code: str, lon: float, lat: float) -> list[PublicCase]:
    """Return open reports of the same service that may be of the same thing, the newest first.

    It goes by what anybody may know: where the public reads a committee, by the committee. So nobody finds a point
    out by asking here and there.
    """
    offer = offer_of(matters, code)
    with matters.store.reading() as connection:
        conditions: list[sa.ColumnElement[bool]] = [matter.c.closed == 0, matter.c.type_id == offer.kind.type_id]
        conditions.append(matter.c.opened_at >= micros(matters.clock.now() - SPAN))
        area_id = matters.ground.at(lon, lat)
        index = along("opened")
        if offer.service.place == "point":
            reach = 2 * offer.side.near_m / METRES
            across, index = reach / math.cos(math.radians(lat)), "matter_by_lat"
            conditions += [
                matter.c.lat.between(lat - reach, lat + reach),
                matter.c.lon.between(lon - across, lon + across),
            ]
        elif area_id is not None:
            coarse = _coarse(matters, offer.service, matters.ground.lies(area_id))
            conditions.append(matter.c.rank.between(*matters.ground.range_of(coarse)))
            index = "matter_by_rank"
        same = islice(_walk(matters, connection, Way(tuple(conditions), index), frozenset({code})), NEAR_LOOKED_AT)
        exact = offer.service.place == "point"
        close = (one for one in same if not exact or _apart_m(one, lon, lat) <= offer.side.near_m)
        return list(islice(close, NEAR_MOST))


def _apart_m(case: PublicCase, lon: float, lat: float) -> float:
    if case.lon is None or case.lat is None:
        return math.inf
    return math.hypot((case.lon - lon) * math.cos(math.radians(lat)), case.lat - lat) * METRES


def _walk(matters: Matters, connection: sa.Connection, way: Way, codes: Collection[str]) -> Iterator[PublicCase]:
    """Yield public cases of these services (of all, where none is named), newest first, reading what is wanted."""
    open_kinds = [f"{one.type_id}/{one.version}" for one in matters.kinds.every() if _is_public(one)]
    way = replace(way, conditions=(*way.conditions, matter.c.kind.in_(open_kinds), matter.c.forgotten == 0))
    key: tuple[int, int] | None = None
    for _ in range(LOOKED_AT // AT_ONCE):
        rows = caselists.page(connection, way, "opened", key, AT_ONCE)
        yield from _public(matters, connection, rows, codes)
        if len(rows) < AT_ONCE:
            return
        key = (rows[-1]["opened_at"], rows[-1]["case_no"])
    raise BadInput("this list", f"must be found among {LOOKED_AT} requests", "ask for a shorter span of time")


def _is_public(kind: CaseType) -> bool:
    return kind.public_side is not None and kind.confidentiality not in NARROW


def _public(
    matters: Matters, connection: sa.Connection, rows: Sequence[Row], codes: Collection[str] = ()
) -> Iterator[PublicCase]:
    steps = casebook.steps_of(connection, [one["case_no"] for one in rows])
    for row in rows:
        made = _made(matters, row, case_of(row, steps[row["case_no"]], matters.ground), codes)
        if made is not None:
            yield made


def _made(matters: Matters, row: Row, case: Case, codes: Collection[str] = ()) -> PublicCase | None:
    """Return what anybody may know of a case, None where that is nothing, or it is of another service."""
    kind = matters.kinds.of(row)
    side = kind.public_side
    if side is None or not _is_public(kind) or row["forgotten"]:
        return None
    service = side.services.get(str(case.values.get(side.by)))
    offer = None if service is None else Offer(kind=kind, side=side, service=service)
    if service is None or offer is None or (codes and offer.code not in codes):
        return None
    ended_at = closed_at(kind, case)
    area_id = _coarse(matters, service, case.areas)
    lon, lat = _point(matters, service, row, area_id)
    readings = {one.clock_id: one for one in read_clocks(kind, case, matters.work, matters.clock.now())}
    clocks = [(rule, readings[rule.clock_id]) for rule in kind.clocks if rule.public]
    return PublicCase(
        request_id=case.case_id, offer=offer, reported_at=case.opened_at,
        changed_at=ended_at or case.history[-1].at, ended_at=ended_at, fields=public_fields(kind, case),
        area_id=area_id, owner_area_id=row["owner_area_id"], lon=lon, lat=lat,
        clocks=tuple(one for one in clocks if one[1].phase is not Phase.NOT_STARTED), steps=_told_steps(kind, case),
    )  # fmt: skip


def _told_steps(kind: CaseType, case: Case) -> tuple[tuple[State, datetime], ...]:
    found: list[tuple[State, datetime]] = []
    for change in case.history:
        state = kind.states[change.target]
        if (state.inform or not found) and (not found or found[-1][0] is not state):
            found.append((state, change.at))
    return tuple(found)


def _coarse(matters: Matters, service: Service, areas: Mapping[str, str]) -> str:
    """Return the area that the public reads. Where the district has no such level, the top: rather too coarse."""
    if service.place == "point":
        return list(areas.values())[-1]
    return areas.get(service.place) or matters.ground.root


def _point(matters: Matters, service: Service, row: Row, area_id: str) -> tuple[float | None, float | None]:
    if service.place == "point" and row["lon"] is not None:
        return round(row["lon"], PLACES), round(row["lat"], PLACES)
    polygon = matters.ground.areas.area(area_id).polygon if area_id in matters.ground.areas else None
    if polygon is None:
        return None, None
    middle = polygon.representative_point()
    return round(middle.x, PLACES), round(middle.y, PLACES)


def _unknown(asked: str) -> NotFound:
    return NotFound(f"request {asked[:60]!r}", "does not exist, or is not public", "list the requests")


# -- what the holder of a code may know and do -----------------------------------------------------------------------


def follow(matters: Matters, code: str) -> Followed:
    """Return what the holder of a code may know, and the steps that they may take.

    Raises
    ------
    NotFound
        If the code leads nowhere: it was never given out, or what it led to has been forgotten.
    """
    case_id = _behind(matters, code)
    with matters.store.reading() as connection:
        kind, case, row = matters.load(connection, case_id)
    made, side = _made(matters, row, case), kind.public_side
    if made is None or side is None:
        raise _dead(code)
    by = resident(matters).by(kind, set(case.areas.values()), [side.role])
    return Followed(
        case=made, told={name: case.values[name] for name in kind.fields if name in side.tells and name in case.values},
        questions=tuple(one.note for one in case.history if one.transition in side.notes and one.note),
        shown=tuple(
            (name, digest) for one in case.history for name, digest in one.evidence.items() if name in side.shows
        ),
        steps=tuple(
            one for one in ripe_steps(kind, case, by, matters.clock.now())
            if side.role in one.roles and not one.evidence
        ),
        n_changes=len(case.history),
    )  # fmt: skip


def take_step(matters: Matters, code: str, action: Action) -> Followed:
    """Take a step of whoever reported; `Matters.act` says what may refuse it."""
    matters.act(_behind(matters, code), replace(action, evidence={}), resident(matters))
    return follow(matters, code)


def shown_file(matters: Matters, code: str, digest: str) -> tuple[bytes, str]:
    """Return a file that the holder of a code may see, and its media type."""
    followed = follow(matters, code)
    if digest not in {one for _, one in followed.shown}:
        raise NotFound(f"file {digest[:12]!r}", "does not exist here", "see the page of your report")
    with matters.store.reading() as connection:
        row = casebook.row_of(connection, followed.case.request_id)
    if row is None:
        raise _dead(code)
    return matters.room.read(digest, row["case_no"])


def _behind(matters: Matters, code: str) -> str:
    case_id = case_behind(matters.store, code)
    if case_id is None:
        raise _dead(code)
    return case_id


def _dead(code: str) -> NotFound:
    return NotFound(f"code {code[:20]!r}", "leads nowhere", "look at it again; after a time what was told is forgotten")
