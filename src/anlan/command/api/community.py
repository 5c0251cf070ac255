"""The community for staff: volunteers in one's areas, invitations, shifts, call-outs, messages, service points."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from anlan.command import community_views as seen
from anlan.command.access import Admitted
from anlan.command.api import community_forms as forms
from anlan.command.api.asked import Opened
from anlan.command.api.forms import raw
from anlan.command.codes import drawn, link_to
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import Unavailable
from anlan.planning.service_points import WALKS_S
from anlan.volunteers import Helpers, calling, first_helpers, hours, joining, rostering, sending

router = APIRouter(prefix="/community", tags=["community"])

Days = Annotated[int, Query(ge=0, le=400, description="How far back, in days")]
Ahead = Annotated[int, Query(ge=1, le=400, description="How far ahead, in days")]
Spot = Annotated[float, Query(description="Degrees.")]
Keys = Annotated[tuple[str, ...], Query(max_length=63)]
Walked = Annotated[tuple[float, ...], Query(max_length=6, description="Walks that count as near, s")]
NO_STORE = {"cache-control": "no-store"}
SIGN_UP = "/v/open"
"""Where a volunteer finds every shift to sign up for."""


# -- volunteers ------------------------------------------------------------------------------------------------------


@router.get("", response_model=forms.Board, summary="Alliances, lists, and how many volunteers there are")
def board(district: Opened, asker: Admitted) -> dict[str, Any]:
    """Return the lists of the district, with counts of those volunteers that one may see."""
    hall = district.community
    return seen.board(hall.lists, joining.counts(hall, asker.scope))


@router.get("/tallies", response_model=forms.Tallies, summary="Numbers by month and area that name nobody")
def tallies(district: Opened, asker: Admitted) -> dict[str, Any]:
    """Return how many joined, left, came, were asked and said yes."""
    found = joining.tallies(district.community, asker.scope)
    return {"tallies": [{"month": o["month"], "area": o["area_id"], "what": o["what"], "n": o["n"]} for o in found]}


@router.get("/volunteers", response_model=forms.Volunteers, summary="Volunteers at home in one's areas")
def volunteers(district: Opened, asker: Admitted, asked: Annotated[forms.Seeking, Query()]) -> dict[str, Any]:
    """Return a page of them, in the order of joining; never a contact, and no count or judgement of anybody."""
    hall = district.community
    due = None if asked.due_days is None else hall.clock.now() + timedelta(days=asked.due_days)
    sought = joining.Sought(
        area_id=asked.area, alliance=asked.alliance, trade=asked.trade, skill=asked.skill, due_before=due
    )
    found = joining.volunteers(hall, asker.scope, sought, after=asked.after, limit=asked.limit)
    last = found[-1]["volunteer_no"] if len(found) == asked.limit else None
    return {"volunteers": [seen.volunteer(one) for one in found], "next": last}


@router.get("/invitations", response_model=forms.Invitations, summary="Open invitations")
def invitations(district: Opened, asker: Admitted) -> dict[str, Any]:
    """Return them without their links, which are told once."""
    return {"invitations": [seen.invitation(one) for one in joining.invitations(district.community, asker.scope)]}


@router.post("/invitations", response_model=forms.Invited, status_code=201, summary="Make an invitation")
def invite(request: Request, district: Opened, asker: Admitted, new: forms.NewInvitation) -> dict[str, Any]:
    """Make a link, for a poster, by which people join without an account; it is told this once."""
    hall = district.community
    hall.check_scope(asker.scope, new.area)
    made = joining.Invitation(label=new.label, area_id=new.area, alliance=new.alliance, days=new.days, most=new.most)
    key, token = joining.invite(hall, made, asker.name)
    path = f"/v/join/{token}"
    link = link_to(hall, request, path)
    try:
        code: str | None = drawn(link)
    except Unavailable:
        code = None
    return {"id": key, "path": path, "link": link, "code": code}


@router.delete("/invitations/{invitation_id}", status_code=204, summary="End an invitation")
def withdraw_invitation(district: Opened, asker: Admitted, invitation_id: str) -> None:
    """End it; whoever has joined by it stays."""
    joining.withdraw_invitation(district.community, invitation_id, asker.scope, asker.name)


# -- shifts ----------------------------------------------------------------------------------------------------------


@router.get("/shifts", response_model=forms.Shifts, summary="Shifts in one's areas")
def shifts(district: Opened, asker: Admitted, past_days: Days = 0, days: Ahead = 28) -> dict[str, Any]:
    """Return those that have not ended and begin within so many days, and those of the past where asked."""
    hall, now = district.community, district.clock.now()
    found = rostering.shifts(hall, asker.scope, now - timedelta(days=past_days), now + timedelta(days=days))
    return {"shifts": [seen.shift(one) for one in found]}


@router.get("/shifts.ics", response_class=Response, summary="Shifts in one's areas, for a calendar")
def shifts_calendar(district: Opened, asker: Admitted, alliance: str = "", lang: str = "zh") -> Response:
    """Return the shifts of the next 90 days as iCalendar, of one alliance where given."""
    hall, now = district.community, district.clock.now()
    found = rostering.shifts(hall, asker.scope, now - timedelta(days=30), now + timedelta(days=90))
    wanted = [one for one in found if not alliance or one.alliance == alliance]
    made = hours.calendar(hall, wanted, "en" if lang == "en" else "zh")
    return Response(made, media_type="text/calendar; charset=utf-8", headers=NO_STORE)


@router.post("/shifts", response_model=forms.Shift, status_code=201, summary="Plan a shift")
def plan(district: Opened, asker: Admitted, new: forms.NewShift) -> dict[str, Any]:
    """Plan it where it lies; volunteers sign up for it by themselves."""
    made = rostering.NewShift(
        name=new.name, lon=new.at[0], lat=new.at[1], begin_at=parse_moment(new.begin_at, "begin_at"),
        end_at=parse_moment(new.end_at, "end_at"), places=new.places, needs=new.needs, alliance=new.alliance,
    )  # fmt: skip
    key = rostering.plan(district.community, made, asker.scope, asker.name)
    return seen.shift(rostering.shift(district.community, key, asker.scope)[0])


@router.get("/shifts/{shift_id}", response_model=forms.ShiftWhole, summary="One shift, its code, and who is in it")
def shift(request: Request, district: Opened, asker: Admitted, shift_id: str) -> dict[str, Any]:
    """Return it with the swaps that wait; who was in it is told until 30 days after it."""
    hall = district.community
    told, code, inside = rostering.shift(hall, shift_id, asker.scope)
    swaps = [{"giver": giver, "taker": taker} for giver, taker in rostering.swaps(hall, shift_id, asker.scope)]
    paths = {"path": f"/v/here/{code}", "here": link_to(hall, request, f"/v/here/{code}")}
    people = [seen.in_shift(*one) for one in inside]
    more = {"code": code, "sign_up": link_to(hall, request, SIGN_UP), "people": people, "swaps": swaps}
    return seen.shift(told) | paths | more


@router.get(
    "/shifts/{shift_id}/code.svg", response_class=Response, summary="A code to scan: to check in, or to sign up",
    responses=raw("image/svg+xml"),
)  # fmt: skip
def shift_code(
    request: Request, district: Opened, asker: Admitted, shift_id: str, what: Literal["here", "sign_up"] = "here"
) -> Response:
    """Return the link of the place, or that of the shifts which volunteers may sign up for, as a QR code."""
    hall = district.community
    code = rostering.shift(hall, shift_id, asker.scope)[1]
    made = drawn(link_to(hall, request, f"/v/here/{code}" if what == "here" else SIGN_UP))
    return Response(made, media_type="image/svg+xml", headers=NO_STORE)


@router.post("/shifts/{shift_id}/complete", response_model=forms.Completed, summary="Complete a shift that is over")
def complete(district: Opened, asker: Admitted, shift_id: str) -> dict[str, Any]:
    """Count the hours: whoever came and did not check out stayed until its end."""
    came, minutes = rostering.complete_shift(district.community, shift_id, asker.scope, asker.name)
    return {"came": came, "minutes": minutes}


@router.delete("/shifts/{shift_id}", status_code=204, summary="Call a shift off")
def cancel(district: Opened, asker: Admitted, shift_id: str) -> None:
    """Call it off; whoever is in it is told."""
    rostering.cancel(district.community, shift_id, asker.scope, asker.name)


# -- call-outs -------------------------------------------------------------------------------------------------------


@router.get("/call-outs", response_model=forms.CallOuts, summary="Call-outs in one's areas")
def call_outs(district: Opened, asker: Admitted, past_days: Days = 1) -> dict[str, Any]:
    """Return the open ones, and those begun within so many days."""
    since_at = district.clock.now() - timedelta(days=past_days)
    return {"call_outs": [seen.call_out(one) for one in calling.call_outs(district.community, asker.scope, since_at)]}


@router.post("/call-outs", response_model=forms.CallOut, status_code=201, summary="Call volunteers")
def call(district: Opened, asker: Admitted, new: forms.NewCallOut) -> dict[str, Any]:
    """Ask a few of the nearest, more while answers lack, and stop when enough come."""
    wanted = calling.Wanted(
        lon=new.at[0], lat=new.at[1], quota=new.quota, words=new.words, skills=new.skills, alliance=new.alliance,
        hours=new.hours, matter_id=None if new.matter is None else f"own:{new.matter}",
    )  # fmt: skip
    return seen.call_out(calling.call_out(district.community, wanted, asker.scope, asker.name))


@router.get("/call-outs/{call_out_id}", response_model=forms.CallOutWhole, summary="One call-out, and who comes")
def one_call_out(district: Opened, asker: Admitted, call_out_id: str) -> dict[str, Any]:
    """Return it with the names that those show who said yes."""
    row, names = calling.one_call_out(district.community, call_out_id, asker.scope)
    return seen.call_out(row) | {"coming": names}


@router.post("/call-outs/{call_out_id}/stop", response_model=forms.CallOut, summary="Stop a call-out")
def stop(district: Opened, asker: Admitted, call_out_id: str) -> dict[str, Any]:
    """Stop it: nobody is asked any more."""
    return seen.call_out(calling.stop(district.community, call_out_id, asker.scope, asker.name))


@router.post("/helpers/{incident_id}", response_model=forms.CallOut, status_code=201, summary="Call first helpers")
def helpers(district: Opened, asker: Admitted, incident_id: str, new: forms.Helpers) -> dict[str, Any]:
    """Call volunteers near an incident while units are on their way; it ends when the incident is closed."""
    wanted = Helpers(quota=new.quota, words=new.words, skills=new.skills)
    made = first_helpers(district.community, district.reach, incident_id, wanted, (asker.scope, asker.name))
    return seen.call_out(made)


@router.get("/near", response_model=forms.Nearby, summary="How many could be asked around a point")
def near(district: Opened, asker: Admitted, lon: Spot, lat: Spot, skill: Keys = ()) -> dict[str, Any]:
    """Return how many volunteers could be asked now within each circle; nobody is asked."""
    hall = district.community
    hall.check_scope(asker.scope, hall.area_at(lon, lat))
    return {"near": [{"within_m": m, "volunteers": n} for m, n in calling.near(hall, lon, lat, skill)]}


# -- messages and papers ---------------------------------------------------------------------------------------------


@router.get("/outbox", response_model=forms.Outbox, summary="Messages that wait for the gateway")
def outbox(district: Opened, asker: Admitted) -> dict[str, Any]:
    """Return up to 500, with their contacts: that they were read is a line of the log."""
    found = sending.outbox(district.community, asker.name)
    return {
        "messages": [
            {"id": one.message_no, "contact": one.contact, "language": one.language, "text": one.text} for one in found
        ]
    }


@router.post("/outbox/sent", response_model=forms.Gone, summary="Messages that the gateway has sent")
def sent(district: Opened, numbers: forms.Sent) -> dict[str, Any]:
    """Delete them."""
    return {"n": sending.sent(district.community, numbers.ids)}


@router.get("/certificate-key", response_model=forms.PublicKey, summary="The key that certificates are checked with")
def certificate_key(district: Opened) -> dict[str, Any]:
    """Return the public key, in hexadecimal digits."""
    return {"key": district.community.sealing.signing()[1].hex()}


# -- service points --------------------------------------------------------------------------------------------------


@router.get("/points", response_model=forms.Points, summary="Service points, and whether they are open")
def points(district: Opened, kind: str = "") -> dict[str, Any]:
    """Return all, or those of one kind."""
    hall, at = district.community, district.clock.now()
    return {"points": [seen.point(one, hall, at) for one in hall.points if not kind or one.kind == kind]}


@router.get("/points/coverage", response_model=forms.Covered, summary="Who lives within a walk of a service point")
def coverage(district: Opened, level: str = "", within_s: Walked = WALKS_S) -> dict[str, Any]:
    """Return shares by kind for the district, and for each area of a level as GeoJSON."""
    hall = district.community
    found = hall.walks.coverage(hall.points, level=level or None, walks_s=within_s)
    return seen.coverage_of(hall.pack, found, hall.walks.levels)
