"""Cases: opened, moved, listed, sought and exported, each answer only with what the asker may see."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from math import nan
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from anlan.cases import Action
from anlan.command import case_views, views
from anlan.command.access import Admitted, now
from anlan.command.api import case_forms
from anlan.command.api.asked import Opened
from anlan.command.api.forms import raw
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, NotAllowed
from anlan.kernel.geo import Projection
from anlan.kernel.records import Label
from anlan.matters import (
    Asked,
    Matters,
    NewCase,
    Standing,
    agenda,
    count_cases,
    export_cases,
    list_cases,
    plain_reader,
    standing,
    told_to,
)
from anlan.staff import Staff
from anlan.store import casebook, caselists

router = APIRouter(tags=["cases"])


def _matters(district: Opened) -> Matters:
    return district.matters


def _standing(request: Request, asker: Admitted) -> Standing:
    if request.app.state.staff is None:
        return plain_reader(asker.name)
    staff: Staff = request.app.state.staff
    return standing(staff.access, asker.actor, now(), units=lambda: units_of(staff))


def units_of(staff: Staff) -> dict[str, str]:
    """Return who may be made the unit of a case: offices by id, and by each name that one alone has; keys by id."""
    offices = staff.offices()
    names = Counter(name.strip() for one in offices for name in set(one.name.values()))
    found = {name.strip(): one.office_id for one in offices for name in one.name.values() if names[name.strip()] == 1}
    keys = (f"key:{one.key_id}" for one in staff.every_key())
    return found | {one.office_id: one.office_id for one in offices} | {one: one for one in keys}


def _filter(wanted: case_forms.Filter) -> Asked:
    query = caselists.Query(
        type_ids=tuple(wanted.type), states=tuple(wanted.state), closed=wanted.closed, owner_area_id=wanted.owner,
        post=wanted.post, light=wanted.light,
        due_before=None if wanted.due_before is None else parse_moment(wanted.due_before, "due_before"),
        due_from=None if wanted.due_from is None else parse_moment(wanted.due_from, "due_from"),
        box=None if wanted.near is None else _box(wanted.near, wanted.within_m),
    )  # fmt: skip
    return Asked(query=query, area_id=wanted.area, parent_id=wanted.parent, sought=wanted.q.strip(), mine=wanted.mine)


Kept = Annotated[Matters, Depends(_matters)]
Who = Annotated[Standing, Depends(_standing)]
Wanted = Annotated[case_forms.Filter, Query()]


@router.get("/cases", response_model=case_forms.Cases, summary="Cases that one may see, page by page")
def cases(kept: Kept, who: Who, wanted: Annotated[case_forms.PageFilter, Query()]) -> dict[str, Any]:
    """Return a page; ``next`` goes on behind it, also where cases come in meanwhile."""
    asked = replace(_filter(wanted), order=wanted.order, after=wanted.after, limit=wanted.limit)
    page = list_cases(kept, asked, who)
    at = views.moment(kept.clock.now())
    return {"at": at, "cases": [case_views.brief(one) for one in page.cases], "next": page.next}


@router.get("/cases/counts", response_model=case_forms.Counts, summary="How many, by type, state and light")
def counts(kept: Kept, who: Who, wanted: Wanted) -> dict[str, Any]:
    """Return the numbers of a board, of the cases that one may see."""
    made = [
        {"type": one.type_id, "state": one.state, "light": one.light, "n_cases": one.n_cases}
        for one in count_cases(kept, _filter(wanted), who)
    ]
    return {"at": views.moment(kept.clock.now()), "counts": made}


@router.get(
    "/cases/export", response_class=Response, summary="Cases that one may see, as CSV", responses=raw("text/csv")
)
def export(kept: Kept, who: Who, wanted: Annotated[case_forms.ExportFilter, Query()]) -> Response:
    """Return every case of a list; with one type asked for, its fields too. The log keeps that it was exported.

    Columns are named by ids; with ``lang`` in words, and each code stands beside its word.
    """
    lines: Iterator[str] = export_cases(kept, _filter(wanted), who, wanted.lang)
    headers = {"content-disposition": 'attachment; filename="cases.csv"', "cache-control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/cases/types", response_model=case_forms.Kinds, summary="The types in force")
def types(kept: Kept, who: Who) -> dict[str, Any]:
    """Return each with its fields, and whether the asker may open cases of it."""
    return {"types": [case_views.kind(one, who) for one in kept.kinds.in_force.values()]}


@router.get("/cases/types/{type_id}", response_model=case_forms.KindForm, summary="One type, in any version")
def one_type(kept: Kept, who: Who, type_id: str, version: int | None = None) -> dict[str, Any]:
    """Return what a case of it is read by: the version that it is pinned to, or the one in force."""
    found = kept.kinds.current(type_id) if version is None else kept.kinds.version(type_id, version)
    return case_views.kind(found, who)


@router.get(
    "/cases/calendar", response_model=case_forms.Agenda, summary="Days: worked or not, what is due, what is held"
)
def calendar(kept: Kept, who: Who, wanted: Annotated[case_forms.AgendaFilter, Query()]) -> dict[str, Any]:
    """Return up to two months, both days included, in the district's time zone."""
    made = agenda(kept, _filter(wanted), who, (wanted.first, wanted.last))
    return {"at": views.moment(kept.clock.now())} | case_views.agenda(made)


@router.get("/cases/told", response_model=case_forms.CasesTold, summary="What clocks told the areas of one's own")
def told(kept: Kept, who: Who, hours: Annotated[int, Query(ge=1, le=24 * 366)] = 24) -> dict[str, Any]:
    """Return warnings, breaches and climbs, newest first."""
    at = kept.clock.now()
    rows = told_to(kept, who, at - timedelta(hours=hours))
    made = [
        case_views.told(one) | {"case": one["case_id"], "type": one["type_id"], "state": one["state"]} for one in rows
    ]
    return {"at": views.moment(at), "told": made}


@router.get("/cases/destroyed", response_model=case_forms.Destructions, summary="What was forgotten, and why")
def destroyed(kept: Kept) -> dict[str, Any]:
    """Return the newest records; they name fields, and nothing of what they said."""
    with kept.store.reading() as connection:
        rows = casebook.destructions(connection, 500)
    return {"destructions": [case_views.destroyed(one) for one in rows]}


@router.post("/cases/route", response_model=case_forms.Route, summary="Where would this go, and why")
def route(kept: Kept, who: Who, new: case_forms.NewCase) -> dict[str, Any]:
    """Return the areas, the owner, and every rule that was looked at; nothing is opened."""
    way, kind = kept.route(_new(new)), kept.kinds.current(new.type)
    return case_views.route(way, kind, lambda case_id: kept.sees(who, case_id))


@router.post("/cases/files", response_model=case_forms.StoredFile, summary="Send a file", status_code=201)
async def send_file(request: Request, kept: Kept, who: Who) -> dict[str, Any]:
    """Keep a picture, PDF or office document (the body as it is) until a step of a case takes it."""
    if not who.acts:
        raise NotAllowed("right cases.act", "must be granted to you", "ask whoever keeps the accounts")
    content = await request.body()
    return {"digest": await asyncio.to_thread(kept.room.put, content, who.actor_id)}


@router.post("/cases", response_model=case_forms.Taken, summary="Open a case", status_code=201)
def open_case(kept: Kept, who: Who, new: case_forms.NewCase) -> dict[str, Any]:
    """Open it where it lies; the routing gives it an owner."""
    return case_views.taken(kept.open(_new(new), who))


@router.get("/cases/{case_id}", response_model=case_forms.Case, summary="One case")
def case(kept: Kept, who: Who, case_id: str) -> dict[str, Any]:
    """Return it with its clocks and the steps that one may try. Reading a restricted one is a line of the log."""
    return case_views.case(kept.read(case_id, who))


@router.get("/cases/{case_id}/history", response_model=case_forms.History, summary="What became of a case")
def history(request: Request, kept: Kept, who: Who, case_id: str) -> dict[str, Any]:
    """Return every step, without what one may not read."""
    seen = kept.read(case_id, who)
    staff: Staff | None = request.app.state.staff
    names = {} if staff is None else _unit_names(staff)
    return {"id": case_id, "history": [case_views.line(one, seen.kind, names.get(one.unit_id)) for one in seen.history]}


def _unit_names(staff: Staff) -> dict[str, Label]:
    """Return what units of cases are called: offices, and keys of programs by what they were made for."""
    keys: dict[str, Label] = {f"key:{one.key_id}": {"zh": one.label, "en": one.label} for one in staff.every_key()}
    return keys | {one.office_id: one.name for one in staff.offices()}


@router.post("/cases/{case_id}/steps", response_model=case_forms.Taken, summary="Take a step")
def take_step(kept: Kept, who: Who, case_id: str, step: case_forms.NewStep) -> dict[str, Any]:
    """Take it, or be told which rule it breaks; 409 where somebody was faster, with what they did."""
    action = Action(transition=step.step, filled=step.filled, evidence=step.evidence, note=step.note, seen=step.seen)
    return case_views.taken(kept.act(case_id, action, who))


@router.post("/cases/{case_id}/links/{other_id}", response_model=case_forms.Taken, summary="Let it wait for another")
def link(kept: Kept, who: Who, case_id: str, other_id: str) -> dict[str, Any]:
    """Link a case that a gate of the type waits for."""
    return case_views.taken(kept.link(case_id, other_id, who))


@router.get(
    "/cases/{case_id}/files/{digest}", response_class=Response, summary="A file of a case",
    responses=raw("image/png", "image/jpeg", "application/pdf", "application/zip"),
)  # fmt: skip
def read_file(kept: Kept, who: Who, case_id: str, digest: str) -> Response:
    """Return it to whoever may read the case."""
    content, media_type = kept.room.read(digest, kept.read(case_id, who).row["case_no"])
    headers = {"content-disposition": "attachment", "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def _box(near: str, within_m: float) -> tuple[float, float, float, float]:
    """Return the box of degrees around a point."""
    try:
        lon, lat = (float(part) for part in near.split(","))
    except ValueError:
        lon = lat = nan
    if not (abs(lon) <= 180 and abs(lat) < 90):
        raise BadInput(f"near={near[:40]!r}", "must be lon,lat in degrees", "write it like 121.4920,31.2270")
    plane = Projection(lon, lat)
    (west, east), (south, north) = plane.to_degrees([-within_m, within_m], [-within_m, within_m])
    return float(west), float(south), float(east), float(north)


def _new(new: case_forms.NewCase) -> NewCase:
    return NewCase(
        type_id=new.type, lon=new.lon, lat=new.lat, area_id=new.area, filled=new.filled, evidence=new.evidence,
        note=new.note, parent_id=new.parent, like=new.like,
    )  # fmt: skip
