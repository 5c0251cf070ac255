"""The forms of answers, as /docs shows them. Null is unknown, and its reason stands beside it; it is never zero."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from anlan.kernel.records import DeviceKind

Moment = Annotated[
    str, Field(description="UTC.", examples=["2026-12-31T10:00:00Z"], json_schema_extra={"format": "date-time"})
]
Text = Annotated[dict[str, str], Field(description="By language.", examples=[{"zh": "外滩", "en": "The Bund"}])]
GeoJson = Annotated[dict[str, Any], Field(description="GeoJSON in degrees, longitude first.")]
Level = Literal["A", "B", "C", "D", "E", "F"]
Why = Literal["not_started", "stale", "no_device", "flow_only", "too_small", "not_walkable"]


class Form(BaseModel):
    """Exactly these fields, and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FaultInChinese(Form):
    """The parts in Chinese; null where they have no words yet, or the value is a name and no phrase."""

    value: str | None = Field(examples=["多边形"])
    rule: str | None = Field(examples=["须为多边形"])
    next_step: str | None = Field(examples=["闭合后再发送"])


class Fault(Form):
    """What went wrong."""

    code: str = Field(examples=["bad_input"])
    value: str = Field(description="What was given.", examples=["polygon=LineString"])
    rule: str = Field(description="The rule that it breaks.", examples=["must be a Polygon or MultiPolygon"])
    next_step: str = Field(description="What to do now.", examples=["close the ring and send it"])
    message: str = Field(description="The three parts as one sentence.")
    zh: FaultInChinese


class Refused(Form):
    """The form of every error."""

    error: Fault


class Estimate(Form):
    """How many people are somewhere, and how sure that is.

    ``low`` to ``high`` holds the truth with probability ``level``. Under ten people expected, ``hidden`` is true and
    only ``high`` is told.
    """

    at: Moment
    occupancy: float | None = Field(description="Persons.", examples=[12_400])
    sd: float | None = Field(description="Standard deviation, persons.", examples=[610.2])
    low: float | None = Field(description="Persons.", examples=[11_396])
    high: float | None = Field(description="Persons.", examples=[13_404])
    level: float = Field(examples=[0.9])
    density_per_m2: float | None = Field(description="Persons per m² of walkable ground.", examples=[1.24])
    level_of_service: Level | None = Field(description="Fruin's comfort class.")
    walkable_m2: float = Field(description="Ground that can be walked on.", examples=[10_000])
    freshness_s: float | None = Field(description="Age of the newest observation that informs it.")
    hidden: bool
    unknown: Why | None = Field(description="Why the number is unknown.")


class SourceShare(Form):
    """A device, and its share in how sure a number is."""

    device: str
    kind: str
    name: Text
    share: float = Field(description="A fraction.", examples=[0.42])


class Narrower(Form):
    """One more device that would narrow a number most."""

    kind: str = Field(examples=["area"])
    place: str | None
    at: tuple[float, float] = Field(description="Longitude, latitude.")
    narrowed_by: float = Field(description="By what part the interval would shrink.", examples=[0.15])


class Because(Form):
    """What made a number: shares by Pratt's measure, which add up to one over all sources."""

    explained: float = Field(description="The part of what is unknown without any source that all of them take off.")
    by_kind: dict[str, float] = Field(
        description="Share of each kind of device.", examples=[{"gate": 0.7, "grid": 0.3}]
    )
    sources: list[SourceShare] = Field(description="The largest shares first.")
    narrower: Narrower | None
    usual: int | None = Field(
        description="How many the survey of footfall counted there at this hour; null without one, and under ten."
    )


class Count(Estimate):
    """An estimate, and on request what made it."""

    why: Because | None = Field(default=None, description="Where it was asked for, and a number is told.")


class Flow(Form):
    """People per minute over a line, both ways; ``low`` to ``high`` holds the truth with probability 0.9.

    Fewer than ten people in five minutes are ``hidden``, and only ``high`` is told.
    """

    per_minute: float | None
    low: float | None
    high: float | None
    in_per_minute: float | None = Field(description="From left to right; null where no device tells directions.")
    out_per_minute: float | None
    width_m: float = Field(description="Walkable width under the line.")
    counted_share: float | None = Field(description="Part that devices counted; the rest is density times speed.")
    devices: list[str] = Field(description="Devices that count on the line.")
    freshness_s: float | None
    hidden: bool
    unknown: Why | None = Field(description="Why the flow is unknown.")


class BorderFlow(Form):
    """People, or vehicles, over the border per minute; null where a line is silent, or where there is none."""

    in_per_minute: float | None
    out_per_minute: float | None
    net_per_minute: float | None
    net_sd_per_minute: float | None = Field(description="Standard deviation of in minus out.")
    counted_in_per_minute: float | None = Field(description="What the lines that report counted.")
    counted_out_per_minute: float | None
    over_s: float = Field(description="Seconds over which it is told.")
    lines: list[str] = Field(description="Devices on the border.")
    silent: list[str] = Field(description="Those of them that do not report.")


class Border(Form):
    """What goes over the district's border."""

    at: Moment | None
    people: BorderFlow
    vehicles: BorderFlow


class Reason(Form):
    """What made a number."""

    why: Because | None


class Point(Form):
    """People at a moment, of the past or expected; ``low`` and ``high`` are null where only the mean was kept.

    Under ten ``hidden`` is true and only ``high`` is given. Unknown is null and not ``hidden``.
    """

    at: Moment
    occupancy: float | None
    low: float | None
    high: float | None
    hidden: bool


class Curve(Form):
    """Minute by minute, oldest first."""

    points: list[Point]


Rests = Literal["trees", "usual", "plan", "trend"]


class Forecast(Form):
    """People expected, each point with its 90 % interval; none where nothing can be told yet."""

    made_at: Moment
    basis: Rests | None = Field(
        description="trees: learned from the history; usual: what the hours of the week are used to; plan: how the last"
        " hour went, and what is planned; trend: how the last hour went; null: nothing yet."
    )
    by_weather: bool = Field(description="Whether it would be another if nothing of the weather were known.")
    days: float = Field(description="Days of history.")
    points: list[Point]


class AreaLevel(Form):
    """A level of the tree of areas."""

    key: str = Field(examples=["committee"])
    label: Text


class Grid(Form):
    """The grid of densities. Corners: north-west, north-east, south-east, south-west."""

    n_columns: int
    n_rows: int
    size_m: float
    n_cells: int = Field(description="Squares in which somebody can walk.")
    corners: list[tuple[float, float]]


class District(Form):
    """What the district is, and what time it is there."""

    id: str = Field(examples=["huangpu"])
    name: Text
    version: str
    schematic: bool = Field(description="True where the map is drawn by hand, and not to be measured on.")
    notice: Text = Field(description="Shown on every map.")
    attribution: str
    time_zone: str = Field(examples=["Asia/Shanghai"])
    languages: list[str]
    centre: tuple[float, float]
    bounds: tuple[float, float, float, float] = Field(description="West, south, east, north.")
    root: str = Field(description="The area of the whole district.")
    levels: list[AreaLevel]
    figures: dict[str, float] = Field(description="Published figures.", examples=[{"residents": 500_000}])
    grid: Grid
    simulated: bool = Field(description="True where time and counts come from a simulation or a recording.")
    now: Moment
    estimated_at: Moment | None = Field(description="The last minute that was estimated.")
    estimate: Estimate | None = Field(description="People in its public space; null to whom may see a part only.")
    n_devices: int
    n_areas: dict[str, int]


class Place(Form):
    """A named place with its present estimate."""

    id: str
    name: Text
    kind: str
    capacity: int | None
    closed: bool = Field(description="True where every entrance is counted.")
    key: bool
    thresholds: dict[str, float] = Field(description="Persons per m².")
    estimate: Estimate
    share_of_capacity: float | None = Field(description="A fraction.")


class Places(Form):
    """Every named place."""

    places: list[Place]


class Area(Form):
    """An area of the tree with its present estimate."""

    id: str
    level: str
    parent: str | None
    name: Text
    estimate: Estimate


class Areas(Form):
    """The areas of one level."""

    areas: list[Area]


class Counted(Form):
    """What was counted in one window; the fields that the device's kind has."""

    in_: int | None = Field(alias="in")
    out: int | None
    passed: int | None
    present: int | None


class DevicePoint(Counted):
    """What was counted in the window that ended at ``at``."""

    at: Moment


class DeviceCurve(Form):
    """Window by window, oldest first."""

    points: list[DevicePoint]


class Tally(Form):
    """What a device has sent so far. ``accepted`` holds the late and the out-of-order ones."""

    accepted: int
    late: int
    out_of_order: int
    duplicate: int
    refused: int
    refused_by_code: dict[str, int] = Field(examples=[{"future": 3}])


class Suspicion(Form):
    """What a device is suspected of, with the evidence."""

    fault: Literal["zero", "stuck", "lost", "swapped", "clock", "restarted", "contradicts"]
    left_out: bool = Field(description="True while the estimate does without it.")
    since_at: Moment | None
    counted_per_min: float | None = Field(description="What it counts; of a swapped one, the part that went in.")
    expected_per_min: float | None = Field(description="What is to be expected of it, likewise.")
    minutes: int | None = Field(description="Over how many minutes.")
    off_s: float | None = Field(description="By how much its clock has drifted.")
    ratio: float | None = Field(description="Counted over what all others lead to expect.")


class Device(Form):
    """A device and how it is doing."""

    id: str
    name: Text
    kind: DeviceKind
    place: str | None
    interval_s: float
    state: Literal["ok", "late", "silent", "never", "suspect", "withdrawn"]
    reason: str | None = Field(description="Why it is not ok.")
    last_end_at: Moment | None = Field(description="End of the newest window that it reported.")
    delay_s: float | None = Field(description="How long after its window the newest count came in.")
    last: Counted | None
    per_minute: float | None = Field(description="Persons over its line per minute, both directions.")
    suspicion: Suspicion | None = Field(description="What is wrong with its counts, where something is.")
    tally: Tally | None


class AreaCoverage(Form):
    """How well an area is seen."""

    id: str
    name: Text
    relative_sd: float | None = Field(description="Spread of its people now, as a part of them.")
    unseen_sd: float | None = Field(description="What it would be without any device.")
    seen_share: float | None = Field(description="By how much the devices have narrowed it (0..1).")
    told_by: list[str] = Field(description="The devices that see a part of it.")


class Coverage(Form):
    """How well the areas of a level are seen; empty before the first estimate."""

    areas: list[AreaCoverage]


class DeviceProposal(Form):
    """A site for a new device."""

    kind: Literal["camera", "counter", "high"]
    name: Text
    geometry: dict[str, Any] = Field(description="GeoJSON, degrees: the view, or the line to count over.")
    narrows: float = Field(description="Part of the summed variance that it takes away, after those before it.")
    sd_left: float = Field(description="Part of the spread that is left with it and those before it.")


class DeviceProposals(Form):
    """Sites for new devices, the best first; empty before the first estimate."""

    proposals: list[DeviceProposal]


class Devices(Form):
    """Every device."""

    devices: list[Device]


class Refusal(Form):
    """An observation that was not taken."""

    index: int = Field(description="Its place in the batch.")
    device: str | None
    code: Literal["malformed", "unknown_device", "wrong_kind", "future", "too_old"]
    message: str


class Receipt(Form):
    """What became of a batch. It is committed: not even a kill of the server undoes it."""

    accepted: int
    late: int
    out_of_order: int
    duplicate: int
    refused: list[Refusal]


class WeatherHour(Form):
    """An hour, by its beginning; null is unknown, which is not dry."""

    time: Moment
    rain_mm: float | None = Field(description="Rain in the hour.", examples=[1.2])
    temperature_c: float | None = Field(examples=[6.5])


class Weather(Form):
    """The weather as it is known now."""

    at: Moment
    measured: WeatherHour | None = Field(
        description="The last full hour that was measured; null where neither of the last two was."
    )
    ahead: list[WeatherHour] = Field(description="The present hour and the next eleven, as they are foreseen.")


class WeatherReceipt(Form):
    """How many hours were taken. They are committed: not even a kill of the server undoes it."""

    measured: int
    foreseen: int


class Watch(Form):
    """A saved polygon with its present estimate."""

    id: str
    version: int
    name: str
    polygon: GeoJson
    estimate: Estimate | None


class Watches(Form):
    """The saved polygons."""

    watches: list[Watch]


class Subject(Form):
    """What an alert is of."""

    kind: Literal["place", "device"]
    id: str
    name: Text


class Grounds(Form):
    """Why an alert stands. ``value``, ``sd`` and ``limit`` are in the unit of the measure."""

    measure: Literal["density", "share_of_capacity", "specific_flow", "net_inflow"] = Field(
        description="1/m², a fraction, 1/(m·s), 1/s."
    )
    limit: float
    also: Literal["net_inflow", "weaker_share", "in_per_out"] | None = Field(
        description="A second condition, which holds too."
    )
    above: float | None = Field(description="What the second condition must exceed.")
    source: Text | str = Field(description="Where the limit comes from: a text by language, or one for all.")
    value: float | None
    sd: float | None
    probability: float | None = Field(description="That the limit is exceeded.")
    ahead_s: float = Field(description="0 for now; else so many seconds from now.")
    occupancy: float | None = Field(description="Persons in the place now.")
    net_inflow: float | None = Field(description="In minus out, 1/s.")
    other: float | None = Field(description="The number of the second condition.")
    devices: list[str] = Field(description="The devices behind the numbers.")
    rests_on: list[Rests] = Field(description="What an expectation rests on; empty where it is of now.")


class Mark(Form):
    """That somebody on duty has seen or closed it."""

    by: str
    at: Moment
    note: str


class Alert(Form):
    """One breach of a ladder, announced once; or a place that cannot be seen any more."""

    id: str = Field(examples=["place:bund-chenyi@20261231T1305Z"])
    subject: Subject
    kind: Literal["crowd", "flow", "unseen"]
    rung: Literal["notice", "yellow", "orange", "red"] = Field(description="What is announced.")
    highest: Literal["notice", "yellow", "orange", "red"]
    since_at: Moment
    changed_at: Moment
    reached_at: Moment | None = Field(description="Since when the rung is reached; null where it is expected.")
    expected_at: Moment | None
    lead_s: float | None = Field(description="Until it is expected.")
    ended_at: Moment | None
    unknown: Why | None = Field(description="Why a place cannot be seen.")
    grounds: Grounds | None
    standing: bool = Field(description="False once it has ended or was closed.")
    version: int
    acknowledged: Mark | None
    closed: Mark | None


class Alerts(Form):
    """Alerts, those that stand first, the most serious first."""

    at: Moment
    alerts: list[Alert]


class Change(Form):
    """One line of the log."""

    id: int
    at: Moment
    kind: str = Field(examples=["watch"])
    record: str
    version: int
    action: str = Field(examples=["unwatch"])
    actor: str
    body: dict[str, Any] | None = Field(description="The record as this change left it; null where it ended.")
    hash: str


class Changes(Form):
    """Lines of the log, oldest first."""

    changes: list[Change]


class Audit(Form):
    """Whether the log is whole."""

    n_changes: int
    ok: bool
    broken_at: int | None = Field(description="The first change that does not fit.")
    fault: str | None


def raw(*media: str, also: str = "") -> dict[int | str, dict[str, Any]]:
    """Return how an answer is described that is bytes of some media type, and not JSON."""
    content = {one: {"schema": {"type": "string", "format": "binary"}} for one in media}
    made: dict[int | str, dict[str, Any]] = {200: {"description": "The bytes", "content": content}}
    return made | ({304: {"description": also}} if also else {})


GEOJSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A collection of features",
        "content": {"application/geo+json": {"schema": {"type": "object"}}},
    },
    304: {"description": "As the etag that was given"},
}
ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Refused, "description": "Refused: the value, the rule that it breaks, and what to do."},
    "5XX": {"model": Refused, "description": "Not possible now: the value, the rule, and what to do."},
}
"""What every route may answer instead."""
