"""Ladders of thresholds: at which number a place or a passage is noticed, warned of, restricted, closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from itertools import pairwise

from anlan.kernel.errors import BadInput
from anlan.kernel.records import Label, Place, Thresholds

Limits = tuple[float | None, float | None, float | None, float | None]
"""One limit for each rung, notice to red; None where the ladder leaves that rung out."""

Source = Label | str
"""Where a rule comes from: a text in each of the district's languages, or one for all of them."""

EVERYWHERE = "*"


class Rung(IntEnum):
    """How serious it is: 0 is below every ladder."""

    CALM = 0
    NOTICE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4


class Measure(StrEnum):
    """What a ladder measures."""

    DENSITY = "density"
    """People per m² of walkable ground, 1/m²."""
    SHARE = "share_of_capacity"
    """People by the capacity of the place, a fraction."""
    SPECIFIC_FLOW = "specific_flow"
    """People over a line, both ways, per metre of it, 1/(m·s)."""
    NET_INFLOW = "net_inflow"
    """People in minus people out over all lines of a place, or over one line either way, 1/s."""

    @property
    def of_line(self) -> bool:
        """Whether a line is measured, and not a place."""
        return self is Measure.SPECIFIC_FLOW


class Also(StrEnum):
    """A second condition, which must hold at the same time."""

    FILLING = "net_inflow"
    """People in minus people out is more than so many per second, 1/s."""
    COUNTERFLOW = "weaker_share"
    """The weaker direction is more than this part of the flow over a line, or over the gates of a place."""
    IMBALANCE = "in_per_out"
    """More than so many come in for each who goes out, over a line, or over the gates of a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rising limits of one measure, whom they hold for, and where they come from.

    ``of`` is the id of a place or device, a kind of place, or ``*``. The most particular ladder of a measure holds.

    Raises
    ------
    BadInput
        If no limit is given, one is not above zero, or they do not rise.

    Examples
    --------
    >>> Ladder(of="*", measure=Measure.DENSITY, limits=(2, 3, 4, 5), source="Fruin 1971").limit(Rung.RED)
    5
    >>> Ladder(of="*", measure=Measure.DENSITY, limits=(2, 3, None, 1), source="none")
    Traceback (most recent call last):
    anlan.kernel.errors.BadInput: density ladder 2, 3, -, 1 of '*' must rise from notice to red; put it in rising order.
    """

    of: str
    measure: Measure
    limits: Limits
    source: Source
    also: Also | None = None
    above: float | None = None

    def __post_init__(self) -> None:
        given = [limit for limit in self.limits if limit is not None]
        told = ", ".join("-" if limit is None else f"{limit:g}" for limit in self.limits)
        value = f"{self.measure} ladder {told} of {self.of!r}"
        if not given or min(given) <= 0:
            raise BadInput(value, "must have a limit, each above 0", "give at least one of notice to red")
        if any(low >= high for low, high in pairwise(given)):
            raise BadInput(value, "must rise from notice to red", "put it in rising order")
        if (self.also is None) != (self.above is None):
            raise BadInput(value, "must have a second condition with its limit, or neither", "give also and above")

    @property
    def key(self) -> str:
        """The rule in one word: ``density``, ``density+net_inflow``."""
        return str(self.measure) if self.also is None else f"{self.measure}+{self.also}"

    @property
    def given(self) -> tuple[tuple[Rung, float], ...]:
        """The rungs that it has, each with its limit."""
        return tuple((Rung(k), limit) for k, limit in enumerate(self.limits, 1) if limit is not None)

    def limit(self, rung: Rung) -> float | None:
        """Return the limit of a rung."""
        return None if rung is Rung.CALM else self.limits[rung - 1]


DEFAULTS = (
    Ladder(
        of=EVERYWHERE,
        measure=Measure.SHARE,
        limits=(0.7, 0.8, 0.9, 1.0),
        source={
            "zh": "LB/T 034-2014：接近承载量时分流；80 % 取自公安部门有座活动标准",
            "en": "LB/T 034-2014: divert near the carrying capacity; 80 % as the police standard for seated events",
        },
    ),
    Ladder(
        of=EVERYWHERE,
        measure=Measure.SPECIFIC_FLOW,
        limits=(None, 1.1, 1.367, 1.817),
        source={
            "zh": "Fruin 1971（每米每分钟66人起为E级）；英国《绿色指南》82人；HSG195 109人",
            "en": "Fruin 1971 (E from 66 per m and min); Green Guide 82; HSG195 109 per m and min",
        },
    ),
    Ladder(
        of=EVERYWHERE,
        measure=Measure.SPECIFIC_FLOW,
        limits=(0.817, 1.1, 1.367, None),
        source={
            "zh": "Fruin 1971：D级（每米每分钟49人）起，对向人流相互冲突",
            "en": "Fruin 1971: from class D (49 per m and min) opposing streams conflict",
        },
        also=Also.COUNTERFLOW,
        above=0.25,
    ),
)
"""Ladders that hold where a pack says nothing else. Densities are the place's own thresholds."""

DENSITY_SOURCE: Label = {
    "zh": "首尔2023：每平方米3人预警；Fruin 1971、Still 2014：行进中4人临界，5人危险",
    "en": "Seoul 2023: warning at 3 per m²; Fruin 1971 and Still 2014: 4 critical when moving, 5 dangerous",
}

OWN_SOURCE: Label = {"zh": "城区为该场所自定", "en": "set by the district for this place"}


def ladders_of_place(ladders: Iterable[Ladder], place: Place) -> tuple[Ladder, ...]:
    """Return the ladders of a place's people: by its id before its kind before everywhere, one for each rule."""
    limits = place.thresholds
    names = (EVERYWHERE, place.kind, place.place_id)
    every = [one for one in (*DEFAULTS, *ladders) if not one.measure.of_line and one.of in names]
    told = (limits.notice_per_m2, limits.yellow_per_m2, limits.orange_per_m2, limits.red_per_m2)
    if not any(one.key == Measure.DENSITY and one.limits == told for one in every):
        # The place's own thresholds, which a ladder of another one's kind does not override.
        source = DENSITY_SOURCE if limits == Thresholds() else OWN_SOURCE
        every.append(Ladder(of=place.place_id, measure=Measure.DENSITY, limits=told, source=source))
    return _most_particular(every, names)


def with_density(ladders: Iterable[Ladder], place: Place) -> Place:
    """Return the place with the densities that its ladder tells, where it has none of its own."""
    if place.thresholds != Thresholds():
        return place
    for name in (place.place_id, place.kind, EVERYWHERE):
        for ladder in ladders:
            if ladder.of == name and ladder.key == Measure.DENSITY and None not in ladder.limits:
                notice, yellow, orange, red = (limit or 0.0 for limit in ladder.limits)
                limits = Thresholds(notice_per_m2=notice, yellow_per_m2=yellow, orange_per_m2=orange, red_per_m2=red)
                return replace(place, thresholds=limits)
    return place


def ladders_of_line(ladders: Iterable[Ladder], names: tuple[str, ...]) -> tuple[Ladder, ...]:
    """Return the ladders of a line's flow; ``names`` are whom a ladder may name, the most particular last."""
    # What is gained is a matter of a place; of one line it is one only where a ladder names that very line.
    every = [
        one
        for one in (*DEFAULTS, *ladders)
        if one.measure is Measure.SPECIFIC_FLOW or (one.measure is Measure.NET_INFLOW and one.of == names[-1])
    ]
    return _most_particular(every, (EVERYWHERE, *names))


def _most_particular(ladders: Iterable[Ladder], names: tuple[str, ...]) -> tuple[Ladder, ...]:
    found: dict[str, tuple[int, Ladder]] = {}
    for ladder in ladders:
        if ladder.of not in names:
            continue
        rank = names.index(ladder.of)
        if ladder.key not in found or found[ladder.key][0] <= rank:
            found[ladder.key] = (rank, ladder)
    return tuple(ladder for _, ladder in found.values())
