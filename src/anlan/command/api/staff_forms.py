"""What the routes of staff answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from anlan.command.api.forms import Form, Moment, Text

Reach = Literal["own", "district"]


class Account(Form):
    """A member of staff."""

    id: str = Field(description="What the log keeps.")
    version: int
    name: str | None = Field(description="What they sign in with.")
    shown_name: str | None


class Accounts(Form):
    """The accounts that have not left."""

    accounts: list[Account]


class Holding(Form):
    """Who holds an office."""

    account: str
    from_at: Moment
    until_at: Moment | None
    deputy: bool


class Office(Form):
    """A post in the organisation: its roles in an area."""

    id: str
    version: int
    name: Text
    roles: list[str]
    area: str
    holdings: list[Holding]


class Offices(Form):
    """The organisation."""

    offices: list[Office]


class Role(Form):
    """What a kind of work needs; what is not listed is refused."""

    id: str
    name: Text
    rights: dict[str, Reach]


class Roles(Form):
    """The roles of this district."""

    roles: list[Role]


class NewOffice(Form):
    """An office as it is set up."""

    name: Text
    roles: list[str] = Field(examples=[["duty_officer"]])
    area: str


class NewAccount(Form):
    """An account as it is opened."""

    name: str = Field(max_length=64)
    shown_name: str = Field(max_length=64)
    password: str | None = Field(default=None, description="Without one, a link opens it.")
    office: NewOffice | None = Field(default=None, description="An office of its own; it may do nothing without.")


class FirstAccount(Form):
    """The account that keeps the accounts."""

    link: str
    name: str = Field(max_length=64)
    shown_name: str = Field(max_length=64)
    password: str


class Me(Form):
    """Who asks."""

    state: Literal["open", "first", "unknown", "known"] = Field(
        description="open: nobody signs in here; first: no account exists yet; unknown: sign in; known: signed in."
    )
    account: Account | None
    offices: list[Office]
    rights: dict[str, Literal["own", "everywhere"]]
    guard: str | None = Field(description="Send it as x-anlan-guard with whatever changes something.")


class SignedIn(Form):
    """Somewhere an account is signed in."""

    mark: str
    begun_at: Moment
    seen_at: Moment
    here: bool


class SignedInList(Form):
    """Everywhere an account is signed in."""

    signed_in: list[SignedIn]


class EnterLink(Form):
    """What stands behind /#enter= of a link that signs in once."""

    link: str


class Key(Form):
    """What is known of a program's key."""

    id: str
    version: int
    label: str
    rights: list[str]
    area: str
    until_at: Moment | None


class NewKey(Key):
    """A key as it is told once."""

    key: str


class Keys(Form):
    """The keys that have not been withdrawn."""

    keys: list[Key]
