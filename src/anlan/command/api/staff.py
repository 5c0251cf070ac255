"""Signing in, and who works here: accounts, the offices they hold, keys of programs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from anlan.command import staff_views, views
from anlan.command.access import Admitted, NotSignedIn, cookie_of, known, now
from anlan.command.api import forms, staff_forms
from anlan.command.api.asked import Staffed
from anlan.command.whereabouts import ASK
from anlan.kernel.access import Actor
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, NotAllowed
from anlan.staff import NewOffice, Office, SignedIn, Staff
from anlan.staff.accounts import LINK, LONGEST

router = APIRouter(tags=["staff"])

Text = Annotated[str, Body(embed=True)]
Name = Annotated[str, Body(embed=True, max_length=64)]
Until = Annotated[str | None, Body(embed=True, description="ISO 8601 with offset; null for no end")]


@router.get("/me", response_model=staff_forms.Me, summary="Who is asking, and what they may do")
def me(request: Request) -> dict[str, Any]:
    """Return the account with its offices and rights; who is not signed in learns whether anybody has an account."""
    staff: Staff | None = request.app.state.staff
    if staff is None:
        return {"state": "open", "account": None, "offices": [], "rights": {}, "guard": None}
    try:
        found = known(request)
    except NotSignedIn:
        found = None
    if found is None:
        state = "open" if request.app.state.guest else "unknown" if staff.accounts() else "first"
        return {"state": state, "account": None, "offices": [], "rights": {}, "guard": None}
    return _me(staff, *found)


@router.post("/sign-in", response_model=staff_forms.Me, summary="Sign in by name and password")
async def sign_in(request: Request, response: Response, staff: Staffed, name: Name, password: Text) -> dict[str, Any]:
    """Answer with a cookie that proves it, for twelve hours from its last use."""
    token, made = await asyncio.to_thread(staff.sign_in, name, password, now())
    return _entered(request, response, staff, token, made)


@router.post("/enter", response_model=staff_forms.Me, summary="Sign in by a link")
async def enter(request: Request, response: Response, staff: Staffed, link: Text) -> dict[str, Any]:
    """Use a link, which is good once. The very first one makes an account: see /first-account."""
    return _entered(request, response, staff, *await asyncio.to_thread(staff.enter, link, now()))


@router.post("/first-account", response_model=staff_forms.Me, summary="Make the first account", status_code=201)
async def first_account(
    request: Request, response: Response, staff: Staffed, first: staff_forms.FirstAccount
) -> dict[str, Any]:
    """Make the account that keeps the accounts, by the link that the server told when it started."""
    given = (first.link, first.name, first.shown_name, first.password)
    return _entered(request, response, staff, *await asyncio.to_thread(staff.first_account, *given, now()))


@router.post("/first-link", response_model=staff_forms.EnterLink, summary="A link that makes the first account")
def first_link(staff: Staffed, asker: Admitted) -> dict[str, Any]:
    """Return what stands behind ``/#first=``; refused once there is an account."""
    return {"link": staff.link(None, asker.name, now())}


@router.post("/sign-out", status_code=204, summary="Sign out here")
def sign_out(request: Request, response: Response, staff: Staffed, asker: Admitted) -> None:
    """End it; the cookie proves nothing any more."""
    if asker.signed_in is not None:
        staff.sign_out(asker.signed_in.mark)
    response.delete_cookie(cookie_of(request), path="/")


@router.post("/me/password", status_code=204, summary="Change one's password")
async def change_password(
    request: Request, response: Response, staff: Staffed, asker: Admitted, new: Text,
    old: Annotated[str | None, Body(embed=True, description="Not needed just after coming by a link")] = None,
) -> None:  # fmt: skip
    """Set another; everywhere the account is signed out, here too."""
    account_id, here = _own_account(asker), asker.signed_in
    if old is None and not (here is not None and here.by_link and now() - here.begun_at < LINK):
        raise NotAllowed("a new password", "needs the old one", "give it, or come by a new link")
    await asyncio.to_thread(staff.change_password, account_id, old, new, now())
    response.delete_cookie(cookie_of(request), path="/")


@router.get("/me/signed-in", response_model=staff_forms.SignedInList, summary="Where one is signed in")
def signed_in(staff: Staffed, asker: Admitted) -> dict[str, Any]:
    """Return each, so that what one does not know can be ended."""
    here = None if asker.signed_in is None else asker.signed_in.mark
    every = staff.signed_in(_own_account(asker))
    return {"signed_in": [staff_views.signed_in(one, here=one.mark == here) for one in every]}


@router.delete("/me/signed-in/{mark}", status_code=204, summary="Sign out somewhere else")
def end_signed_in(staff: Staffed, asker: Admitted, mark: str) -> None:
    """End one of one's own."""
    if any(one.mark == mark for one in staff.signed_in(_own_account(asker))):
        staff.sign_out(mark)


@router.get("/roles", response_model=staff_forms.Roles, summary="The roles of this district, and what each may do")
def roles(staff: Staffed) -> dict[str, Any]:
    """Return each with its rights and how far they reach."""
    return {"roles": [staff_views.role(one) for one in staff.access.roles.values()]}


@router.get("/accounts", response_model=staff_forms.Accounts, summary="Every account")
def accounts(staff: Staffed) -> dict[str, Any]:
    """Return those that have not left."""
    return {"accounts": [staff_views.account(one) for one in staff.accounts()]}


@router.post("/accounts", response_model=staff_forms.Account, summary="Open an account", status_code=201)
async def open_account(staff: Staffed, asker: Admitted, account: staff_forms.NewAccount) -> dict[str, Any]:
    """Open one, with an office of its own or none yet; all of it, or nothing."""
    office = None if account.office is None else _new_office(asker, account.office)
    given = (account.name, account.shown_name, account.password, asker.name, now())
    return staff_views.account(await asyncio.to_thread(staff.open_account, *given, office=office))


@router.post("/accounts/{account_id}/link", response_model=staff_forms.EnterLink, summary="A link that signs in once")
def link(staff: Staffed, asker: Admitted, account_id: str) -> dict[str, Any]:
    """Return what stands behind ``/#enter=`` for a quarter of an hour: hand it over in person."""
    staff.account(account_id)
    theirs = staff.access.rights(staff.actor(account_id, now()), now())
    lacking = set(theirs).difference(staff.access.rights(asker.actor, now()))
    if lacking:
        raise NotAllowed(f"a link for account {account_id!r}", f"would give you {', '.join(sorted(lacking))}", ASK)
    return {"link": staff.link(account_id, asker.name, now())}


@router.delete("/accounts/{account_id}", response_model=forms.Change, summary="Let an account go")
def close_account(staff: Staffed, asker: Admitted, account_id: str) -> dict[str, Any]:
    """Sign it out, take its offices, forget its name; the log keeps the id."""
    return views.change(staff.close_account(account_id, asker.name, now()))


@router.get("/offices", response_model=staff_forms.Offices, summary="The organisation: offices, and who holds them")
def offices(staff: Staffed, asker: Admitted) -> dict[str, Any]:
    """Return those in the asker's areas."""
    return {"offices": [staff_views.office(one) for one in staff.offices() if asker.scope.covers([one.area_id])]}


@router.post("/offices", response_model=staff_forms.Office, summary="Set up an office", status_code=201)
def make_office(staff: Staffed, asker: Admitted, office: staff_forms.NewOffice) -> dict[str, Any]:
    """Set one up with roles in an area of the asker's; nobody holds it yet."""
    return staff_views.office(staff.make_office(_new_office(asker, office), asker.name, now()))


@router.post("/offices/{office_id}/appoint", response_model=staff_forms.Office, summary="Give an office to an account")
def appoint(
    staff: Staffed, asker: Admitted, office_id: str, account: Text, until_at: Until = None,
    deputy: Annotated[bool, Body(embed=True)] = False,  # noqa: FBT002 - a field of the request
) -> dict[str, Any]:  # fmt: skip
    """Give it from now on; whoever held it hands over at this moment. Nobody appoints themselves."""
    if account == asker.name:
        raise NotAllowed("yourself", "cannot be appointed by yourself", "ask another who keeps the accounts")
    _office(staff, asker, office_id)
    until = None if until_at is None else parse_moment(until_at, "until_at")
    return staff_views.office(staff.appoint(office_id, account, asker.name, now(), until_at=until, deputy=deputy))


@router.post("/offices/{office_id}/vacate", response_model=staff_forms.Office, summary="Take an office from an account")
def vacate(staff: Staffed, asker: Admitted, office_id: str, account: Text) -> dict[str, Any]:
    """Take it, from this moment on."""
    _office(staff, asker, office_id)
    return staff_views.office(staff.vacate(office_id, account, asker.name, now()))


@router.get("/keys", response_model=staff_forms.Keys, summary="Keys of programs")
def keys(staff: Staffed, asker: Admitted) -> dict[str, Any]:
    """Return what is known of each; the keys themselves are kept nowhere."""
    return {"keys": [staff_views.key(one) for one in staff.every_key() if asker.scope.covers([one.area_id])]}


@router.post("/keys", response_model=staff_forms.NewKey, summary="Make a key for a program", status_code=201)
def make_key(
    staff: Staffed, asker: Admitted, label: Name, rights: Annotated[list[str], Body(embed=True)], area: Text,
    until_at: Until = None,
) -> dict[str, Any]:  # fmt: skip
    """Return it, once, with some of the rights of whoever makes it."""
    until = None if until_at is None else parse_moment(until_at, "until_at")
    _check_area(asker, area)
    token, made = staff.make_key(label, rights, area, asker.actor, now(), until_at=until)
    return {"key": token, **staff_views.key(made)}


@router.delete("/keys/{key_id}", response_model=forms.Change, summary="Withdraw a key")
def withdraw_key(staff: Staffed, asker: Admitted, key_id: str) -> dict[str, Any]:
    """End it at once."""
    found = next((one for one in staff.every_key() if one.key_id == key_id), None)
    if found is not None and not asker.scope.covers([found.area_id]):
        raise NotAllowed(f"key {key_id!r}", "must lie in an area that is granted to you", ASK)
    return views.change(staff.withdraw_key(key_id, asker.name, now()))


# -- inside --------------------------------------------------------------------------------------------------------


def _entered(request: Request, response: Response, staff: Staff, token: str, made: SignedIn) -> dict[str, Any]:
    secure = request.url.scheme == "https"
    response.set_cookie(
        cookie_of(request), token, max_age=int(LONGEST.total_seconds()), path="/", httponly=True, secure=secure,
        samesite="strict",
    )  # fmt: skip
    return _me(staff, staff.actor(made.account_id, now()), made)


def _me(staff: Staff, actor: Actor, made: SignedIn | None) -> dict[str, Any]:
    account = None if made is None else staff_views.account(staff.account(made.account_id))
    offices = [] if made is None else staff.offices_of(made.account_id, now())
    rights = staff.access.rights(actor, now())
    return {
        "state": "known",
        "account": account,
        "offices": [staff_views.office(one) for one in offices],
        "rights": {right: "everywhere" if scope.everywhere else "own" for right, scope in rights.items()},
        "guard": None if made is None else made.guard,
    }


def _own_account(asker: Admitted) -> str:
    if asker.signed_in is None:
        raise BadInput("a key", "has no account", "sign in by name and password")
    return asker.signed_in.account_id


def _office(staff: Staff, asker: Admitted, office_id: str) -> Office:
    found = staff.office(office_id)
    if not asker.scope.covers([found.area_id]):
        raise NotAllowed(f"office {office_id!r}", "must lie in an area that is granted to you", ASK)
    return found


def _new_office(asker: Admitted, office: staff_forms.NewOffice) -> NewOffice:
    _check_area(asker, office.area)
    return NewOffice(name=office.name, role_ids=tuple(office.roles), area_id=office.area)


def _check_area(asker: Admitted, area_id: str) -> None:
    """Refuse an area in which the asker does not keep the accounts."""
    if not asker.scope.covers([area_id]):
        raise NotAllowed(f"area {area_id!r}", "must be granted to you", ASK)
