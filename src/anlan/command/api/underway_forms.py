"""What the routes of plans that run answer and take."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from anlan.command.api.forms import Estimate, Fault, Form, Moment, Text

Measure = Literal["density_per_m2", "occupancy", "flow_per_min"]


class Zone(Form):
    """A zone of a plan at this minute."""

    zone: str
    ground: str = Field(description="What it is counted by: place:ID or watch:ID.")
    capacity: int
    most_per_m2: float
    estimate: Estimate | None = Field(description="Null where the asker may not read it, or before the first minute.")
    flow_per_min: float | None = Field(description="Both ways over its devices; null where one of them is silent.")


class Trigger(Form):
    """A trigger at this minute."""

    row: int
    zone: str
    measure: Measure
    above: float
    for_s: float
    action: str
    office: str
    value: float | None
    since_at: Moment | None = Field(description="Since when it has been above the limit.")
    firing: str | None = Field(description="The firing that stands.")


class ZoneDevice(Form):
    """A device that watches a zone."""

    device: str
    zone: str
    measure: Measure
    limit: float
    value: float | None


class Firing(Form):
    """That a trigger fired, and how it was answered; its words are those of the plan as it was then."""

    id: str
    case: str
    row: int
    zone: str | None
    measure: Measure
    above: float
    action: str | None
    office: str | None
    since_at: Moment
    at: Moment
    highest: float
    ended_at: Moment | None
    mark: Literal["done", "overruled"] | None
    by: str | None
    marked_at: Moment | None
    note: str


class Staffing(Form):
    """Who is asked for at a zone, and what the volunteers' shifts there have; null where one may not read shifts."""

    zone: str
    n_staff: int
    n_volunteers: int
    n_places: int | None
    n_seated: int | None


class Live(Form):
    """A plan at this minute."""

    at: Moment | None
    runs: bool
    zones: list[Zone]
    triggers: list[Trigger]
    devices: list[ZoneDevice]
    staffing: list[Staffing]
    firings: list[Firing]


class Firings(Form):
    """What fired and stands, or waits for an answer."""

    at: Moment
    firings: list[Firing]


class Number(Form):
    """What the district counts for a field."""

    field: str
    value: int | None = Field(description="Null where it cannot know.")
    from_at: Moment | None
    until_at: Moment | None
    whole: bool = Field(description="Whether the days over which it counts are over.")


class Ratio(Form):
    """A ratio with its interval."""

    value: float | None
    low: float
    high: float | None = Field(description="Null where it is open.")


class Compared(Form):
    """Incidents near a place before and after, and beside the rest of the district."""

    before: str
    after: str
    level: float
    n_before: int
    n_after: int
    days_before: float
    days_after: float
    ratio: Ratio
    elsewhere_before: int | None
    elsewhere_after: int | None
    against: Ratio | None = Field(description="The ratio beyond what happened elsewhere.")
    verdict: Literal["fell", "rose", "not_told_apart"]


class Numbers(Form):
    """What is counted for a case."""

    numbers: list[Number]
    compared: list[Compared]


class Reference(Form):
    """Something that a text of a case may refer to."""

    id: str
    name: Text


class References(Form):
    """What texts of cases may refer to."""

    ground: list[Reference]
    device: list[Reference]


class Wish(Form):
    """What a rehearsal is to be: the day without the event, and shares of what is expected."""

    scenario: str = Field(default="", max_length=40, description="The ordinary day where empty.")
    share: float = Field(default=1.0, ge=0, le=3, description="Of the visits of that day.")
    crowd: float = Field(default=1.0, ge=0.01, le=3, description="Of those who are expected at the event.")
    seed: int = Field(default=1, ge=0, lt=2**31, description="The same seed gives the same evening.")


class Going(Form):
    """How far a rehearsal is, or why it came to nothing."""

    wish: Wish
    by: str
    begun_at: Moment
    doing: str
    share: float
    fault: Fault | None
    stopped: bool
    over: bool


class Underway(Form):
    """The rehearsal that is under way."""

    going: Going | None


class Peak(Form):
    """The minute in which most people were in a zone."""

    at: Moment
    occupancy: int
    low: int | None
    high: int | None
    density_per_m2: float | None


class RehearsedZone(Form):
    """How a zone went, minute by minute."""

    zone: str
    ground: str
    capacity: int
    most_per_m2: float
    occupancy: list[int | None]
    low: list[int | None]
    high: list[int | None]
    peak: Peak | None
    over_capacity_min: int
    over_density_min: int
    unknown_min: int


class Fire(Form):
    """When a trigger fired in a rehearsal."""

    since_at: Moment
    at: Moment


class RehearsedTrigger(Form):
    """What became of a trigger in a rehearsal."""

    row: int
    zone: str
    measure: Measure
    above: float
    for_s: float
    action: str
    office: str
    highest: float | None
    fired: list[Fire]


class Cleared(Form):
    """How long clearing all zones takes from the minute in which most people are in them."""

    at: Moment
    n_persons: int
    half_s: float | None
    most_s: float | None = Field(description="Until 95 % are out; null where that is longer than four hours.")
    n_stuck: int


class Rehearsed(Form):
    """A rehearsal: what devices saw of a simulated crowd, estimated and judged as on the night."""

    id: str
    case: str
    made_at: Moment
    by: str
    wish: Wish
    scenario: str
    day: Text = Field(description="Name of the day without the event.")
    n_expected: int
    begin_at: Moment
    end_at: Moment
    begins_at: Moment
    ends_at: Moment
    cut: bool = Field(description="Whether the event goes on after the longest rehearsal.")
    minutes: list[Moment]
    zones: list[RehearsedZone]
    triggers: list[RehearsedTrigger]
    clearance: Cleared | None


class Day(Form):
    """A day without an event that the district can be simulated on."""

    id: str
    name: Text
    visits: int


class Rehearsals(Form):
    """The rehearsals of a case, newest first, the one that is under way, and the days to choose from."""

    going: Going | None
    days: list[Day]
    rehearsals: list[Rehearsed]
