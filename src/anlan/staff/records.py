"""The records of staff, and how they are read from the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anlan.kernel.clock import parse_moment
from anlan.kernel.records import Json, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member of staff: the id that the log keeps, and the name they sign in with (None once they have left)."""

    account_id: str
    sign_in_name: str | None
    shown_name: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOffice:
    """An office as it is set up: what it is called, and its roles in an area."""

    name: Label
    role_ids: tuple[str, ...]
    area_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A post in the organisation (岗位): its roles in an area. Accounts hold it for a time, one of them as deputy."""

    office_id: str
    name: Label
    role_ids: tuple[str, ...]
    area_id: str
    holdings: tuple[Holding, ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Who holds an office, from when until when."""

    account_id: str
    from_at: datetime
    until_at: datetime | None
    deputy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a program signs its requests with: some rights in an area, until a day. The key itself is kept nowhere."""

    key_id: str
    label: str
    rights: tuple[str, ...]
    area_id: str
    until_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somewhere an account is signed in; ``mark`` names it to end it, and does not open anything."""

    mark: str
    account_id: str
    begun_at: datetime
    seen_at: datetime
    guard: str
    """What the page must send along with whatever it changes, so that no other page can."""
    by_link: bool


def held_by(office: Office, account_id: str, at: datetime) -> Iterator[Holding]:
    """Yield how an account holds an office at a moment."""
    for one in office.holdings:
        if one.account_id == account_id and one.from_at <= at and (one.until_at is None or at < one.until_at):
            yield one


def _moment(text: Any) -> datetime | None:
    return None if text is None else parse_moment(text)


def office_of(office_id: str, version: int, body: Json) -> Office:
    """Read an office from its record."""
    holdings = tuple(
        Holding(
            account_id=one["account"],
            from_at=parse_moment(one["from_at"]),
            until_at=_moment(one["until_at"]),
            deputy=one["deputy"],
        )
        for one in body["holdings"]
    )
    return Office(
        office_id=office_id,
        name=body["name"],
        role_ids=tuple(body["roles"]),
        area_id=body["area"],
        holdings=holdings,
        version=version,
    )


def key_of(key_id: str, version: int, body: Json) -> Key:
    """Read a key from its record."""
    return Key(
        key_id=key_id,
        label=body["label"],
        rights=tuple(body["rights"]),
        area_id=body["area"],
        until_at=_moment(body["until_at"]),
        version=version,
    )


def signed_in_of(mark: str, body: Json) -> SignedIn:
    """Read where somebody is signed in from what is kept."""
    return SignedIn(
        mark=mark,
        account_id=body["account"],
        begun_at=parse_moment(body["begun_at"]),
        seen_at=parse_moment(body["seen_at"]),
        guard=body["guard"],
        by_link=body["by_link"],
    )
