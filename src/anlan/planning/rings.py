"""The rings of a plan as they are asked for: read from text, checked, and the usual ones. Needs no solver."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anlan.kernel.errors import BadInput
from anlan.planning.ground import LONGEST_S
from anlan.response.travel import MODES

MOST_RINGS = 6
SUREST = 0.999
"""More wants so many units in reach of each point that no plan is any use."""
WORDS = {"vehicle": ("车辆", "vehicle"), "bicycle": ("骑行", "bicycle"), "foot": ("步巡", "foot patrol")}
_RING = re.compile(
    r"(?P<minutes>\d+(\.\d+)?):(?P<kinds>[a-z]+(\+[a-z]+)*)(?P<key>@key)?(/(?P<share>\d+(\.\d+)?))?"
    r"(~(?P<reliability>\d?\.\d+))?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RingAsked:
    """A ring as it is asked for: seconds, who keeps it, where, for what share, how surely.

    Raises
    ------
    BadInput
        If a number is out of bounds, or no kind or an unknown one is named.

    Examples
    --------
    >>> RingAsked(within_s=90, kinds=("bicycle", "vehicle")).name
    '90 s bicycle+vehicle'
    """

    within_s: float
    kinds: tuple[str, ...]
    key: bool = False
    """Whether it holds for key areas only."""
    share: float = 1.0
    reliability: float = 0.9

    def __post_init__(self) -> None:
        if not 1 <= self.within_s <= LONGEST_S:
            raise BadInput(f"within_s={self.within_s:g}", f"must be 1..{LONGEST_S:g} s", "give the time promised")
        if not self.kinds or len(set(self.kinds)) < len(self.kinds) or not set(self.kinds) <= set(MODES):
            told = ", ".join(self.kinds) or "none"
            raise BadInput(f"kinds={told}", "must be some of foot, bicycle, vehicle, each once", "say who keeps it")
        if not 0 < self.share <= 1:
            raise BadInput(f"share={self.share:g}", "must be above 0 and at most 1 (100 %)", "give the share promised")
        if not 0 <= self.reliability <= SUREST:
            raise BadInput(
                f"reliability={self.reliability:g}",
                f"must be 0..{SUREST:g} ({100 * SUREST:g} %)",
                "give how surely a unit is free",
            )

    @property
    def name(self) -> str:
        """What it is called in programs: ``3 min vehicle``."""
        return f"{self._time('min', 's')} {'+'.join(self.kinds)}{' @key' if self.key else ''}"

    def told(self, *, zh: bool) -> str:
        """Return what it is called where people read: ``3 min vehicle``, ``3 分钟 车辆``."""
        kinds = "+".join(WORDS[kind][0 if zh else 1] for kind in self.kinds)
        where = ("（重点区域）" if zh else ", key areas") if self.key else ""
        return f"{self._time(*(('分钟', '秒') if zh else ('min', 's')))} {kinds}{where}"

    def _time(self, minutes: str, seconds: str) -> str:
        return f"{self.within_s:g} {seconds}" if self.within_s % 60 else f"{self.within_s / 60:g} {minutes}"


RINGS = (
    RingAsked(within_s=60, kinds=("foot",), key=True),
    RingAsked(within_s=180, kinds=("vehicle",)),
    RingAsked(within_s=300, kinds=("vehicle",), reliability=0.98),
)
"""One minute on foot in key areas, three by vehicle everywhere, and in five so many that a second one is free."""


def usual_rings(*, keyed: bool) -> tuple[RingAsked, ...]:
    """Return the rings of a district that names none; without key areas there is none of theirs."""
    return RINGS if keyed else tuple(one for one in RINGS if not one.key)


def rings_from(text: str) -> tuple[RingAsked, ...]:
    """Return rings written like ``1:foot@key 3:bicycle+vehicle/0.95 5:vehicle~0.98``.

    Minutes, colon, the kinds that keep it; ``@key`` for key areas only; ``/`` the share of the demand; ``~`` the
    reliability.

    Raises
    ------
    BadInput
        If a ring is written otherwise, names a kind that is not foot, bicycle or vehicle, or is out of bounds.

    Examples
    --------
    >>> [one.name for one in rings_from("1:foot@key 3:bicycle+vehicle/0.95")]
    ['1 min foot @key', '3 min bicycle+vehicle']
    """
    made = []
    for part in text.replace(",", " ").split():
        found = _RING.match(part)
        kinds = tuple(found["kinds"].split("+")) if found else ()
        if found is None or not set(kinds) <= set(MODES):
            raise BadInput(
                f"ring {part!r}",
                "must be MINUTES:KINDS of foot, bicycle, vehicle",
                "write it like 3:bicycle+vehicle/0.95",
            )
        made.append(
            RingAsked(
                within_s=60 * float(found["minutes"]),
                kinds=kinds,
                key=found["key"] is not None,
                share=float(found["share"] or 1.0),
                reliability=float(found["reliability"] or 0.9),
            )
        )
    if not made:
        raise BadInput(f"rings={text!r}", "must name at least one ring", "write it like 3:vehicle")
    return tuple(made)


def rings_of_forms(forms: Sequence[Mapping[str, Any]]) -> tuple[RingAsked, ...]:
    """Return rings given field by field; what is wrong with one is told with its number, as ``rings.1.share=2``.

    Raises
    ------
    BadInput
        If a field is out of bounds, two rings are the same, or there are too many of them.
    """
    if len(forms) > MOST_RINGS:
        raise BadInput(f"rings={len(forms)}", f"must be at most {MOST_RINGS} rings", "take some away")
    made: list[RingAsked] = []
    for k, form in enumerate(forms):
        try:
            one = RingAsked(**{**form, "kinds": tuple(sorted(form["kinds"]))})
        except BadInput as fault:
            raise BadInput(f"rings.{k}.{fault.value}", fault.rule, fault.next_step) from None
        if one in made:
            value = f"rings.{k}.within_s={one.within_s:g}"
            raise BadInput(value, "must not be promised twice", "take one of them away")
        made.append(one)
    return tuple(made)


def ring_form(ring: RingAsked) -> dict[str, Any]:
    """Return a ring field by field, as ``rings_of_forms`` reads it.

    Examples
    --------
    >>> rings_of_forms([ring_form(one) for one in RINGS]) == RINGS
    True
    """
    return {
        "within_s": ring.within_s,
        "kinds": list(ring.kinds),
        "key": ring.key,
        "share": ring.share,
        "reliability": ring.reliability,
    }
