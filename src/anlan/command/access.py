"""Who asks, and whether they may: one list of every route and the right it needs. What is not in it is closed."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from anlan.command.whereabouts import Whereabouts
from anlan.kernel.access import Actor, Scope
from anlan.kernel.errors import NotAllowed
from anlan.staff import SignedIn, Staff

OPEN = "open"
"""Needs nothing: signing in itself, and whether the server answers."""
ANYBODY = "signed in"
"""Needs no right, only to be known."""
EVERYWHERE = "everywhere"
"""Answers about the whole district at once, so the right must hold everywhere."""
BY_AREA = "by area"
"""Answers about places one by one, and leaves out those that lie elsewhere."""

ROUTES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("GET", "/healthz"): (OPEN, EVERYWHERE),
    ("GET", "/me"): (OPEN, BY_AREA),
    ("POST", "/sign-in"): (OPEN, BY_AREA),
    ("POST", "/enter"): (OPEN, BY_AREA),
    ("POST", "/first-account"): (OPEN, BY_AREA),
    ("POST", "/first-link"): ("accounts.act", EVERYWHERE),
    ("POST", "/sign-out"): (ANYBODY, BY_AREA),
    ("POST", "/me/password"): (ANYBODY, BY_AREA),
    ("GET", "/me/signed-in"): (ANYBODY, BY_AREA),
    ("DELETE", "/me/signed-in/{mark}"): (ANYBODY, BY_AREA),
    ("GET", "/district"): (ANYBODY, BY_AREA),
    ("GET", "/map/areas/{level}"): (ANYBODY, BY_AREA),
    ("GET", "/map/{layer}"): (ANYBODY, BY_AREA),
    ("GET", "/live"): (ANYBODY, BY_AREA),
    ("GET", "/density"): ("crowd.read", EVERYWHERE),
    ("GET", "/places"): ("crowd.read", BY_AREA),
    ("GET", "/places/{place_id}"): ("crowd.read", BY_AREA),
    ("GET", "/places/{place_id}/curve"): ("crowd.read", BY_AREA),
    ("GET", "/places/{place_id}/forecast"): ("crowd.read", BY_AREA),
    ("POST", "/count/forecast"): ("crowd.read", BY_AREA),
    ("GET", "/places/{place_id}/why"): ("crowd.read", BY_AREA),
    ("GET", "/areas"): (ANYBODY, BY_AREA),
    ("GET", "/areas/{level}"): ("crowd.read", BY_AREA),
    ("GET", "/areas/{level}/{area_id}"): ("crowd.read", BY_AREA),
    ("POST", "/count"): ("crowd.read", BY_AREA),
    ("POST", "/count/curve"): ("crowd.read", BY_AREA),
    ("POST", "/flow"): ("crowd.read", EVERYWHERE),
    ("GET", "/border"): ("crowd.read", EVERYWHERE),
    ("GET", "/weather"): (ANYBODY, BY_AREA),
    ("GET", "/watches"): ("crowd.read", BY_AREA),
    ("POST", "/watches"): ("crowd.act", BY_AREA),
    ("DELETE", "/watches/{watch_id}"): ("crowd.act", BY_AREA),
    ("GET", "/coverage"): ("devices.read", EVERYWHERE),
    ("GET", "/coverage/cells"): ("devices.read", EVERYWHERE),
    ("GET", "/coverage/proposed"): ("devices.read", EVERYWHERE),
    ("GET", "/proof"): ("devices.read", EVERYWHERE),
    ("POST", "/proof"): ("devices.act", EVERYWHERE),
    ("GET", "/alerts"): ("alerts.read", BY_AREA),
    ("GET", "/alerts/{alert_id}"): ("alerts.read", BY_AREA),
    ("POST", "/alerts/{alert_id}/acknowledge"): ("alerts.act", BY_AREA),
    ("POST", "/alerts/{alert_id}/close"): ("alerts.act", BY_AREA),
    ("GET", "/cases"): ("cases.read", BY_AREA),
    ("GET", "/cases/counts"): ("cases.read", BY_AREA),
    ("GET", "/cases/export"): ("cases.read", BY_AREA),
    ("GET", "/cases/types"): ("cases.read", BY_AREA),
    ("GET", "/cases/types/{type_id}"): ("cases.read", BY_AREA),
    ("GET", "/cases/calendar"): ("cases.read", BY_AREA),
    ("GET", "/cases/told"): ("cases.read", BY_AREA),
    ("GET", "/cases/destroyed"): ("log.read", EVERYWHERE),
    ("POST", "/cases/route"): ("cases.read", BY_AREA),
    ("POST", "/cases/files"): ("cases.act", BY_AREA),
    ("POST", "/cases"): ("cases.act", BY_AREA),
    ("POST", "/cases/import"): ("cases.act", BY_AREA),
    ("POST", "/cases/migrate"): ("cases.act", EVERYWHERE),
    ("GET", "/cases/references"): ("cases.read", BY_AREA),
    ("GET", "/cases/{case_id}"): ("cases.read", BY_AREA),
    ("GET", "/cases/{case_id}/history"): ("cases.read", BY_AREA),
    ("POST", "/cases/{case_id}/steps"): ("cases.act", BY_AREA),
    ("POST", "/cases/{case_id}/links/{other_id}"): ("cases.act", BY_AREA),
    ("GET", "/cases/{case_id}/files/{digest}"): ("cases.read", BY_AREA),
    ("GET", "/cases/{case_id}/live"): ("cases.read", BY_AREA),
    ("GET", "/cases/{case_id}/counted"): ("cases.read", BY_AREA),
    ("GET", "/cases/{case_id}/rehearsals"): ("cases.read", BY_AREA),
    ("GET", "/cases/{case_id}/rehearsals/going"): ("cases.read", BY_AREA),
    ("POST", "/cases/{case_id}/rehearsals"): ("cases.act", BY_AREA),
    ("DELETE", "/cases/{case_id}/rehearsals/going"): ("cases.act", BY_AREA),
    ("DELETE", "/cases/{case_id}/rehearsals/{rehearsal_id}"): ("cases.act", BY_AREA),
    ("GET", "/cases/{case_id}/rehearsals/{rehearsal_id}/record"): ("cases.read", BY_AREA),
    ("POST", "/cases/{case_id}/rehearsals/{rehearsal_id}/file"): ("cases.act", BY_AREA),
    ("GET", "/firings"): ("cases.read", BY_AREA),
    ("POST", "/firings/{firing_id}/done"): ("cases.act", BY_AREA),
    ("POST", "/firings/{firing_id}/overrule"): ("cases.act", BY_AREA),
    ("GET", "/cases/{case_id}/papers"): ("cases.read", BY_AREA),
    ("GET", "/cases/{case_id}/papers/{document}"): ("cases.read", BY_AREA),
    ("GET", "/indicators"): ("cases.read", BY_AREA),
    ("GET", "/indicators/public"): ("cases.read", EVERYWHERE),
    ("GET", "/indicators/bulletin"): ("cases.read", BY_AREA),
    ("GET", "/indicators/{indicator_id}"): ("cases.read", BY_AREA),
    ("GET", "/indicators/{indicator_id}/cases"): ("cases.read", BY_AREA),
    ("GET", "/papers/key"): (OPEN, EVERYWHERE),
    ("GET", "/papers/verify"): (OPEN, EVERYWHERE),
    ("GET", "/community"): ("volunteers.read", BY_AREA),
    ("GET", "/community/tallies"): ("volunteers.read", BY_AREA),
    ("GET", "/community/volunteers"): ("volunteers.read", BY_AREA),
    ("GET", "/community/invitations"): ("volunteers.read", BY_AREA),
    ("POST", "/community/invitations"): ("volunteers.act", BY_AREA),
    ("DELETE", "/community/invitations/{invitation_id}"): ("volunteers.act", BY_AREA),
    ("GET", "/community/shifts"): ("volunteers.read", BY_AREA),
    ("GET", "/community/shifts.ics"): ("volunteers.read", BY_AREA),
    ("POST", "/community/shifts"): ("volunteers.act", BY_AREA),
    ("GET", "/community/shifts/{shift_id}"): ("volunteers.read", BY_AREA),
    ("GET", "/community/shifts/{shift_id}/code.svg"): ("volunteers.read", BY_AREA),
    ("POST", "/community/shifts/{shift_id}/complete"): ("volunteers.act", BY_AREA),
    ("DELETE", "/community/shifts/{shift_id}"): ("volunteers.act", BY_AREA),
    ("GET", "/community/call-outs"): ("volunteers.read", BY_AREA),
    ("POST", "/community/call-outs"): ("volunteers.act", BY_AREA),
    ("GET", "/community/call-outs/{call_out_id}"): ("volunteers.read", BY_AREA),
    ("POST", "/community/call-outs/{call_out_id}/stop"): ("volunteers.act", BY_AREA),
    ("POST", "/community/helpers/{incident_id}"): ("volunteers.act", BY_AREA),
    ("GET", "/community/near"): ("volunteers.read", BY_AREA),
    ("GET", "/community/outbox"): ("contacts.read", EVERYWHERE),
    ("POST", "/community/outbox/sent"): ("contacts.act", EVERYWHERE),
    ("GET", "/community/certificate-key"): (ANYBODY, BY_AREA),
    ("GET", "/community/points"): (ANYBODY, BY_AREA),
    ("GET", "/community/points/coverage"): (ANYBODY, BY_AREA),
    ("GET", "/playbooks"): (ANYBODY, BY_AREA),
    ("GET", "/incidents"): ("incidents.read", BY_AREA),
    ("POST", "/incidents"): ("incidents.act", BY_AREA),
    ("GET", "/incidents/{incident_id}"): ("incidents.read", BY_AREA),
    ("GET", "/incidents/{incident_id}/recommendation"): ("incidents.read", BY_AREA),
    ("POST", "/incidents/{incident_id}/dispatch"): ("incidents.act", BY_AREA),
    ("POST", "/incidents/{incident_id}/recall"): ("incidents.act", BY_AREA),
    ("POST", "/incidents/{incident_id}/close"): ("incidents.act", BY_AREA),
    ("GET", "/units"): ("units.read", BY_AREA),
    ("POST", "/units"): ("units.act", EVERYWHERE),
    ("DELETE", "/units/{unit_id}"): ("units.act", EVERYWHERE),
    ("POST", "/units/positions"): ("units.act", BY_AREA),
    ("POST", "/units/{unit_id}/status"): ("units.act", BY_AREA),
    ("POST", "/units/{unit_id}/move"): ("incidents.act", BY_AREA),
    ("GET", "/reach/cover"): ("units.read", EVERYWHERE),
    ("GET", "/reach/cells"): ("units.read", EVERYWHERE),
    ("GET", "/reach/proof"): ("incidents.read", EVERYWHERE),
    ("GET", "/plans"): ("units.read", EVERYWHERE),
    ("POST", "/plans"): ("units.act", EVERYWHERE),
    ("DELETE", "/plans/making"): ("units.act", EVERYWHERE),
    ("GET", "/plans/usual"): ("units.read", EVERYWHERE),
    ("GET", "/plans/{plan_id}"): ("units.read", EVERYWHERE),
    ("GET", "/plans/{plan_id}/{form}"): ("units.read", EVERYWHERE),
    ("POST", "/what-if"): ("crowd.read", EVERYWHERE),
    ("POST", "/clearance"): ("crowd.read", EVERYWHERE),
    ("GET", "/devices"): ("devices.read", BY_AREA),
    ("GET", "/devices/{device_id}"): ("devices.read", BY_AREA),
    ("GET", "/devices/{device_id}/curve"): ("devices.read", BY_AREA),
    ("POST", "/devices/{device_id}/withdraw"): ("devices.act", BY_AREA),
    ("POST", "/devices/{device_id}/restore"): ("devices.act", BY_AREA),
    ("POST", "/observations"): ("observations.act", EVERYWHERE),
    ("POST", "/ingest/{topic:path}"): ("observations.act", EVERYWHERE),
    ("POST", "/weather"): ("observations.act", EVERYWHERE),
    ("GET", "/changes"): ("log.read", EVERYWHERE),
    ("GET", "/audit"): ("log.read", EVERYWHERE),
    ("GET", "/simulation"): (ANYBODY, BY_AREA),
    ("POST", "/simulation"): ("simulation.act", EVERYWHERE),
    ("GET", "/roles"): ("accounts.read", BY_AREA),
    ("GET", "/accounts"): ("accounts.read", EVERYWHERE),
    ("POST", "/accounts"): ("accounts.act", EVERYWHERE),
    ("POST", "/accounts/{account_id}/link"): ("accounts.act", EVERYWHERE),
    ("DELETE", "/accounts/{account_id}"): ("accounts.act", EVERYWHERE),
    ("GET", "/offices"): ("accounts.read", BY_AREA),
    ("POST", "/offices"): ("accounts.act", BY_AREA),
    ("POST", "/offices/{office_id}/appoint"): ("accounts.act", BY_AREA),
    ("POST", "/offices/{office_id}/vacate"): ("accounts.act", BY_AREA),
    ("GET", "/keys"): ("accounts.read", BY_AREA),
    ("POST", "/keys"): ("accounts.act", BY_AREA),
    ("DELETE", "/keys/{key_id}"): ("accounts.act", BY_AREA),
}
"""The right that each route needs, and whether it can answer about a part of the district."""

CHANGES: Mapping[str, str] = {
    "alert": "alerts.read",
    "incident": "incidents.read",
    "assignment": "incidents.read",
    "unit": "units.read",
    "plan": "units.read",
    "watch": "crowd.read",
    "withdrawn_device": "devices.read",
    "shift": "volunteers.read",
    "call_out": "volunteers.read",
    "invitation": "volunteers.read",
    "account": "accounts.read",
    "office": "accounts.read",
    "key": "accounts.read",
}
"""The right that a change of each kind needs in the live feed; any other kind needs to read the log."""

GUARD = "x-anlan-guard"
READING = {"GET", "HEAD", "OPTIONS"}


class NotSignedIn(NotAllowed):
    """Nobody knows yet who asks: sign in."""

    code = "not_signed_in"
    http_status = 401


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asks for a route: who, and where they hold the right it needs."""

    actor: Actor
    scope: Scope
    signed_in: SignedIn | None

    @property
    def name(self) -> str:
        """Return the id that the log keeps."""
        return self.actor.actor_id


ALL = Scope(True, frozenset())
DESK = Asker(Actor(actor_id="desk", grants=()), ALL, None)
"""Where an application is made without staff: whoever reaches it may do everything."""


def now() -> datetime:
    """Return the time that signing in goes by: the real one, also where the district's is played."""
    return datetime.now(UTC)


def cookie_of(request: Request) -> str:
    """Return the cookie's name. Browsers keep cookies by host and not by port, and a machine may run two servers."""
    secure = request.url.scheme == "https"
    return "__Host-anlan" if secure else f"anlan-{request.url.port or 80}"


def known(request: Request) -> tuple[Actor, SignedIn | None] | None:
    """Return who asks: by a key, or signed in; None where nobody is known.

    Raises
    ------
    NotSignedIn
        If there is a key that is none (any more).
    """
    staff = cast("Staff", request.app.state.staff)
    given = request.headers.get("authorization", "")
    if given:
        found = known_key(request, given.removeprefix("Bearer ").strip())
        if found is None:
            raise NotSignedIn("this key", "is not known, has ended, or was withdrawn", "ask for a new one")
        return found, None
    token = request.cookies.get(cookie_of(request), "")
    signed_in = staff.who(token, now()) if token else None
    return None if signed_in is None else (staff.actor(signed_in.account_id, now()), signed_in)


def known_key(request: Request, token: str) -> Actor | None:
    """Return whoever signs with a key, of a program or of this machine's terminal; None where it is none."""
    own: Mapping[str, Actor] = request.app.state.terminals
    held = token.encode()
    found = next((actor for key, actor in own.items() if hmac.compare_digest(key.encode(), held)), None)
    return found or cast("Staff", request.app.state.staff).bearer(token, now())


def admit(request: Request) -> Asker:
    """Let a request pass, or refuse it, by the list of routes."""
    staff: Staff | None = request.app.state.staff
    if staff is None:
        return DESK
    path = request.scope["route"].path.removeprefix("/api/v1")
    right, extent = ROUTES.get((request.method, path), ("", EVERYWHERE))
    if not right:
        raise NotAllowed(f"{request.method} {path}", "is closed: no right to it was ever named", "tell its makers")
    found = None if right == OPEN else known(request)
    if right == OPEN:
        return Asker(Actor(actor_id="nobody", grants=()), Scope(False, frozenset()), None)
    if found is None and request.app.state.guest is not None:
        found = request.app.state.guest, None
    if found is None:
        raise NotSignedIn("this request", "needs somebody who is signed in", "sign in, or send a key")
    actor, signed_in = found
    if signed_in is not None and request.method not in READING:
        given = request.headers.get(GUARD, "")
        if not hmac.compare_digest(given, signed_in.guard):
            raise NotAllowed(f"header {GUARD}", "must be the one that /me tells", "reload the page")
    if right == ANYBODY:
        return Asker(actor, Scope(False, frozenset()), signed_in)
    scope = staff.access.require(actor, right, now())
    if extent == EVERYWHERE and not scope.everywhere:
        raise NotAllowed(f"right {right}", "must be granted for the whole district", "ask whoever keeps the accounts")
    return Asker(actor, scope, signed_in)


Admitted = Annotated[Asker, Depends(admit)]


# -- the live feed -------------------------------------------------------------------------------------------------


def seen_live(staff: Staff, where: Whereabouts, actor: Actor, kind: str, content: Any) -> Any | None:
    """Return what an actor may see of a message of the live feed, None where nothing."""
    if kind == "change":
        return content if _sees_change(staff, where, actor, content) else None
    if kind == "units":
        own = staff.access.scope(actor, "units.read", now())
        return content if own.everywhere else _units_within(own, where, content)
    if kind != "minute":
        return content
    crowd = staff.access.scope(actor, "crowd.read", now())
    if crowd.everywhere:
        return content
    places = [one for one in content["places"] if crowd.covers(where.of_place(one["id"]))]
    devices = content["devices"] if staff.access.scope(actor, "devices.read", now()).everywhere else {}
    return {**content, "district": None, "places": places, "devices": devices}


def _units_within(scope: Scope, where: Whereabouts, content: Any) -> Any | None:
    """Return the units of a message that are in these areas, None where there is none."""
    found = [one for one in content["units"] if scope.covers(where.of_point(one[1], one[2]))] if scope else []
    return {"units": found} if found else None


def _sees_change(staff: Staff, where: Whereabouts, actor: Actor, change: Mapping[str, Any]) -> bool:
    scope = staff.access.scope(actor, CHANGES.get(change["kind"], "log.read"), now())
    if scope.everywhere or not scope:
        return scope.everywhere
    if change["kind"] == "alert":
        subject = ((change["body"] or {}).get("alert") or {}).get("subject_id", "")
        return scope.covers(where.of_subject(subject))
    if change["kind"] == "incident" and change["body"]:
        return scope.covers(where.of_point(change["body"]["lon"], change["body"]["lat"]))
    if change["kind"] in {"shift", "call_out", "invitation"} and change["body"]:
        return scope.covers([change["body"]["area"]])
    if change["kind"] == "withdrawn_device":
        return scope.covers(where.of_device(change["record"]))
    return False
