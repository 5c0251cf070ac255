"""The forms of what reach answers and is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Header
from pydantic import Field

from anlan.command.api.forms import Form, Moment, Text

Place = Annotated[list[float], Field(description="Longitude, latitude.", min_length=2, max_length=2)]
Status = Literal["available", "dispatched", "en_route", "on_scene", "returning", "out_of_service"]
State = Literal["waiting", "dispatched", "on_scene", "closed"]
Seconds = Annotated[float | None, Field(description="s")]
Cause = Literal["no_unit_free", "late_dispatch", "slow_turnout", "far", "slow_travel", "nobody_came"]
Part = Annotated[float | None, Field(description="A share, 0 to 1.")]


class Assignment(Form):
    """One unit's part in an incident: told, set out, arrived, free again."""

    id: str
    unit: str
    dispatched_at: Moment
    en_route_at: Moment | None
    on_scene_at: Moment | None
    available_at: Moment | None
    turnout_s: Seconds
    travel_s: Seconds
    response_s: Seconds
    on_scene_s: Seconds
    expected_s: float | None = Field(description="Arrival as it was promised, from the dispatch, s.")
    low_s: Seconds
    high_s: Seconds
    overridden: bool = Field(description="Sent against the recommendation.")
    ended: Literal["cleared", "recalled", "pre_empted"] | None


class Incident(Form):
    """Something that needs a response. It has no field for whoever called."""

    id: str = Field(examples=["20261231-001"])
    kind: str
    name: Text
    priority: int
    at: Place
    area: str | None
    place: str | None
    state: State
    received_at: Moment
    dispatched_at: Moment | None
    on_scene_at: Moment | None
    closed_at: Moment | None
    outcome: str | None
    unattended: bool
    target_s: float | None
    version: int
    note: str | None = Field(description="About the need; told with one incident alone, until it is forgotten.")
    reason: str | None = Field(description="Why others were sent than recommended; likewise.")
    assignments: list[Assignment]


class Incidents(Form):
    """Open ones as they wait, the most urgent first; then closed ones, newest first."""

    at: Moment
    incidents: list[Incident]


class Unit(Form):
    """A team or vehicle as it is now. Only its last position is kept."""

    id: str
    name: Text
    kind: str
    crew: int
    capabilities: list[str]
    agency: str
    status: Status
    since_at: Moment | None
    at: Place | None
    position_at: Moment | None = Field(description="Null where it never said: it is taken to be at its post.")
    post: str | None
    incident: str | None
    version: int


class Post(Form):
    """A kerb at which a unit waits."""

    id: str
    name: Text
    at: Place


class MoveUp(Form):
    """An idle unit that would keep more of the district covered at another post."""

    unit: str
    post: str
    cover_now: float
    cover_after: float
    travel_s: Seconds


class Units(Form):
    """Every unit, and where they may wait."""

    at: Moment
    units: list[Unit]
    posts: list[Post]


class Cover(Form):
    """How much of the expected demand the free units reach within three minutes, and the move that would gain most."""

    cover: float
    move_up: MoveUp | None


class Need(Form):
    """What a playbook asks for."""

    units: int
    capabilities: list[str]
    crew: int
    agency: str | None


class Candidate(Form):
    """A unit that could go, or why it could not."""

    unit: str
    chosen: bool
    barred: str | None
    expected_s: Seconds
    low_s: Seconds
    high_s: Seconds
    within: Part = Field(description="Probability of being there within the target.")
    has: list[str]
    crew: int
    takes_from: str | None = Field(description="The less urgent incident that it would be taken from.")
    cover_lost: float = Field(description="Share of demand whose cover goes with it.")
    cost_s: Seconds


class Recommendation(Form):
    """Who should go now. Whoever dispatches may send others, and says why."""

    incident: str
    at: Moment
    reason: Literal["closed"] | None = Field(description="Why there is none; null where there is one.")
    target_s: float | None
    left_s: Seconds
    chosen: list[str]
    on_it: list[str]
    missing: list[Need]
    cover_now: float | None
    cover_after: float | None
    candidates: list[Candidate]


class Kind(Form):
    """A kind of incident."""

    kind: str
    name: Text
    priority: int
    target_s: float
    needs: list[Need]


class UnitKind(Form):
    """A kind of unit."""

    kind: str
    name: Text
    mode: str
    turnout_s: float
    capabilities: list[str]


class Playbooks(Form):
    """What there are playbooks for."""

    kinds: list[Kind]
    unit_kinds: list[UnitKind]


class Fractiles(Form):
    """Median and 90th percentile, s; null of nobody."""

    p50: Seconds
    p90: Seconds


class Share(Form):
    """A share with its 95 % interval."""

    n: int
    of: int
    share: Part
    low: Part
    high: Part


class Reached(Form):
    """How soon the first unit was there, of one group of incidents; within 60, 180 and 300 s."""

    group: str
    n: int
    n_reached: int
    response_s: Fractiles
    within: dict[str, Share]


class BrokenPromise(Form):
    """An incident that was reached later than its kind promises, or by nobody."""

    incident: str
    target_s: float
    late_s: Seconds = Field(description="Null where nobody came.")
    cause: Cause = Field(description="The segment that was most beyond what it may take.")


class Proof(Form):
    """What was really reached. Whoever was never reached missed every clock."""

    overall: Reached
    by_kind: list[Reached]
    by_area: list[Reached]
    turnout_s: Fractiles
    travel_s: Fractiles
    on_scene_s: Fractiles
    promised: Share = Field(description="Arrivals inside the interval that was told when the unit was sent.")
    overridden: Share
    kept: Share = Field(description="Incidents that somebody reached within the target of their kind.")
    broken: list[BrokenPromise] = Field(description="The others, latest first.")
    busy: Part = Field(description="Share of their time for which units were on an incident.")


class Refusal(Form):
    """A position that is not believed."""

    index: int
    unit: str
    message: str


class Positions(Form):
    """What became of reported positions."""

    taken: int
    refused: list[Refusal]


class Position(Form):
    """Where a unit was."""

    unit: str
    at: str
    lon: float
    lat: float


class NewUnit(Form):
    """A unit that the pack does not have."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")
    name: dict[str, str] = Field(default_factory=dict)
    kind: str
    crew: int
    capabilities: list[str] = Field(default_factory=list)
    agency: str = ""
    at: Place


OnceKey = Annotated[
    str | None,
    Header(
        description="Of the sender's choice, such as a UUID. The same key with the same request raises one incident, "
        "with another it is refused (422); it is known for 24 hours.",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]


class Raising(Form):
    """An incident to be raised."""

    kind: str
    at: Place
    note: str = Field(default="", max_length=500, description="About the need, never about anybody.")
    priority: int | None = Field(default=None, ge=1, le=3, description="That of the playbook where left out.")


class Sending(Form):
    """Units to be sent."""

    units: list[str] = Field(min_length=1, max_length=50)
    reason: str = Field(default="", max_length=500, description="Needed for others than the recommended ones.")
    version: int | None = Field(default=None, description="Of the incident as it was read.")


class Step(Form):
    """A unit's next step."""

    status: str
    at: str | None = Field(default=None, description="When it was; now where left out.")
    outcome: str | None = Field(
        default=None, description="What came of the incident; the last unit to leave the scene closes it with this."
    )
