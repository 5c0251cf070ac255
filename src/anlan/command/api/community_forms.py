"""The forms of the community: volunteers, shifts, call-outs, service points. None has a field for a contact."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from anlan.command.api.forms import Form, GeoJson, Moment, Text

Place = Annotated[list[float], Field(description="Longitude, latitude.", min_length=2, max_length=2)]
Keys = Annotated[list[str], Field(max_length=63)]
Needs = Annotated[dict[str, int], Field(description="How many of the places are for which skill.")]
CallState = Literal["open", "met", "stopped", "over"]
ShiftState = Literal["planned", "cancelled", "completed"]
Part = Annotated[float | None, Field(description="A share, 0 to 1; null where it is not known.")]


class Alliance(Form):
    """Merchants who look after a neighbourhood together; ``members`` are the volunteers that one may see."""

    id: str
    name: Text
    trade: str
    trade_name: Text
    area: str
    members: int


class Board(Form):
    """The alliances with their members, the lists, and how many volunteers there are."""

    alliances: list[Alliance]
    trades: dict[str, Text]
    skills: dict[str, Text]
    languages: dict[str, Text]
    volunteers: int
    by_skill: dict[str, int]
    by_trade: dict[str, int]
    home_level: str


class Tally(Form):
    """A number that names nobody, and outlasts whoever made it."""

    month: str
    area: str
    what: str
    n: int


class Tallies(Form):
    """Numbers by month and area."""

    tallies: list[Tally]


class Volunteer(Form):
    """A volunteer as the station sees one: what they show, can, and where they are at home."""

    id: str
    name: str
    home: str
    skills: list[str]
    languages: list[str]
    alliances: list[str]
    trade: str | None
    consent_ends_at: Moment | None


class Volunteers(Form):
    """A page of volunteers; ``next`` goes on behind it."""

    volunteers: list[Volunteer]
    next: int | None


class Seeking(Form):
    """Which volunteers are looked for; what is empty is any."""

    area: str = ""
    alliance: str = ""
    trade: str = ""
    skill: str = ""
    due_days: int | None = Field(default=None, ge=0, le=400, description="Whose consent ends within so many days.")
    after: int = Field(default=0, ge=0, le=2**63 - 1)
    limit: int = Field(default=100, ge=1, le=500)


class NewInvitation(Form):
    """An invitation to be made."""

    label: str = Field(max_length=60, description="What it is for, as the station calls it.")
    area: str
    alliance: str | None = None
    days: int = Field(default=30, ge=1, le=400)
    most: int = Field(default=200, ge=1, le=5000, description="So many may join by it.")


class Invitation(Form):
    """An invitation that is open. Its link is told once, when it is made."""

    id: str
    label: str
    area: str
    alliance: str | None
    until_at: Moment | None
    left: int


class Invitations(Form):
    """Open invitations."""

    invitations: list[Invitation]


class Invited(Form):
    """An invitation that was made, with its link, told this once, and the same as a code to scan."""

    id: str
    path: str = Field(examples=["/v/join/..."])
    link: str = Field(description="Under the address that volunteers know.")
    code: str | None = Field(description="SVG; null where codes cannot be drawn here.")


class NewShift(Form):
    """A shift to be planned."""

    name: Text
    at: Place
    begin_at: Moment
    end_at: Moment
    places: int = Field(ge=1, le=500)
    needs: Needs = Field(default_factory=dict)
    alliance: str | None = None


class Shift(Form):
    """A shift with how it is filled."""

    id: str
    name: Text
    at: Place
    area: str
    begin_at: Moment
    end_at: Moment
    places: int
    needs: Needs
    alliance: str | None
    state: ShiftState
    seated: int
    waiting: int
    offers: int = Field(description="Places that are offered to others, until both agree.")


class Shifts(Form):
    """Shifts, by their begin."""

    shifts: list[Shift]


class InShift(Form):
    """Who is in a shift, by the name that they show."""

    name: str
    skills: list[str]
    seated: bool
    in_at: Moment | None
    out_at: Moment | None


class Swap(Form):
    """A place that somebody offers, and who would take it; by the names that they show."""

    giver: str
    taker: str | None


class ShiftWhole(Shift):
    """A shift with its code, and who is in it until 30 days after it."""

    code: str
    path: str = Field(description="What the code at the place leads to.")
    here: str = Field(description="The link to check in by, under the address that volunteers know.")
    sign_up: str = Field(description="The link to sign up by, for whoever is a volunteer.")
    people: list[InShift]
    swaps: list[Swap]


class Completed(Form):
    """What a shift came to."""

    came: int
    minutes: int


class NewCallOut(Form):
    """Helpers that are wanted. ``words`` tell the need, never anybody's name."""

    at: Place
    quota: int = Field(ge=1, le=500)
    words: str = Field(min_length=1, max_length=120)
    skills: Keys = Field(default_factory=list)
    alliance: str | None = None
    hours: float = Field(default=2.0, gt=0, le=24)
    matter: str | None = Field(default=None, max_length=60, description="Nobody is asked twice for one matter.")


class Helpers(Form):
    """First helpers that are wanted at an incident."""

    quota: int = Field(ge=1, le=500)
    words: str = Field(min_length=1, max_length=120)
    skills: Keys = Field(default_factory=list)


class CallOut(Form):
    """A call-out with its counts: who said no, or nothing, is told to nobody."""

    id: str
    matter: str
    at: Place
    area: str
    quota: int
    words: str
    skills: list[str]
    alliance: str | None
    state: CallState
    begun_at: Moment
    ends_at: Moment
    asked: int
    yes: int
    no: int
    circle_m: float
    left: int = Field(description="Who could still be asked.")


class CallOuts(Form):
    """Call-outs, newest first."""

    call_outs: list[CallOut]


class CallOutWhole(CallOut):
    """A call-out with the names that those show who come."""

    coming: list[str]


class Near(Form):
    """How many could be asked now within a circle."""

    within_m: float
    volunteers: int


class Nearby(Form):
    """How many volunteers could be asked now around a point."""

    near: list[Near]


class Waiting(Form):
    """A message for the gateway to send."""

    id: int
    contact: str
    language: str
    text: str


class Outbox(Form):
    """Messages that wait, oldest first."""

    messages: list[Waiting]


LARGEST = 2**63 - 1
"""What a database holds of a whole number."""


class Sent(Form):
    """Messages that were sent."""

    ids: list[Annotated[int, Field(ge=0, le=LARGEST)]] = Field(max_length=5000)


class Gone(Form):
    """How many were deleted."""

    n: int


class PublicKey(Form):
    """The key that certificates of hours are checked with: ``anlan papers verify CODE --key KEY``."""

    key: str


class Point(Form):
    """A service point; ``open`` is null where its hours are not known."""

    id: str
    kind: str
    kind_name: Text
    name: Text
    at: Place
    open: bool | None


class Points(Form):
    """Service points."""

    points: list[Point]


class WithinWalk(Form):
    """What part is within a walk."""

    within_s: float
    residents: Part
    ground: Part


class KindCover(Form):
    """How one kind of point covers the district."""

    kind: str
    kind_name: Text
    points: int
    shares: list[WithinWalk]


class Covered(Form):
    """How service points cover the district, and every area as GeoJSON with its shares as ``KIND_SECONDS``."""

    kinds: list[KindCover]
    levels: list[str] = Field(description="Of which the areas may be asked, the coarsest first.")
    areas: GeoJson
