"""What the routes of plans that run answer and take."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from anlan.command.api.forms import Estimate, Form, Moment, Text

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


class Live(Form):
    """A plan at this minute."""

    at: Moment | None
    runs: bool
    zones: list[Zone]
    triggers: list[Trigger]
    devices: list[ZoneDevice]
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
