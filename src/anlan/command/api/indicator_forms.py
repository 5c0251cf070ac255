"""What the routes of indicators answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from anlan.command.api.case_forms import Brief
from anlan.command.api.forms import Form, Moment, Text


class IndicatorForm(Form):
    """What an indicator counts, of what, how fine and how often."""

    id: str = Field(examples=["requests_on_time"])
    label: Text
    unit: Text
    formula: str = Field(description="As it is computed.")
    sources: list[str]
    counted: Literal["begun", "ended", "standing"]
    level: str = Field(description="The finest level of area at which it is told.")
    every: Literal["week", "month", "quarter", "year"]
    better: Literal["more", "less", "neither"]
    by: str | None = Field(description="The value that breaks it down.")
    least: int = Field(description="The public does not see counts below.")


class Indicators(Form):
    """Every indicator in force."""

    indicators: list[IndicatorForm]


class AreaNumber(Form):
    """A number of an area: its value, or why there is none."""

    area: str
    name: Text
    value: float | None
    unknown: str | None = Field(description="Why it is not known: unknown is not zero.")
    hidden: bool = Field(description="It would tell of single cases that the asker may not know of.")
    n: int | None = Field(description="How many entries are behind it; null where only the published is told.")
    n_of: int | None = Field(description="Of a share: how many of these it counts.")


class Answer(Form):
    """An indicator of an area and a period."""

    indicator: IndicatorForm
    period: str = Field(examples=["2026-03"])
    from_at: Moment
    until_at: Moment
    complete: bool = Field(description="Whether the period has ended; else the number is of what happened so far.")
    change: float | None = Field(description="Since a year before, as a fraction.")
    whole: AreaNumber
    before: AreaNumber
    year_ago: AreaNumber
    parts: list[AreaNumber] = Field(description="The areas directly below, as far as it is told so fine.")


class EntryForm(Form):
    """Something else than a case that was counted: an incident, an arrival, a shift, a month of an area."""

    source: str = Field(examples=["incident"])
    id: str = Field(description="Its id, by which its own route tells the rest.")
    from_at: Moment
    until_at: Moment | None
    area: str
    values: dict[str, bool | int | float | str]


class Behind(Form):
    """What is behind a number, as far as the asker may see it."""

    cases: list[Brief]
    entries: list[EntryForm]


class PublicNumber(Form):
    """A number for the public."""

    indicator: str
    area: str
    period: str
    value: float | None
    unknown: str | None
    hidden: bool


class Published(Form):
    """What may be published."""

    numbers: list[PublicNumber]
