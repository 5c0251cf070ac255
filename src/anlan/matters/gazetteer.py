"""Where something is, by the names that a district's pack knows: its places and its areas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from anlan.kernel.errors import BadInput
from anlan.kernel.pack import Pack


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for: a point of a place (degrees), or an area."""

    lon: float | None
    lat: float | None
    area_id: str | None


def place_of(pack: Pack, place_id: str) -> Named:
    """Return where a place or an area of that id is.

    Raises
    ------
    BadInput
        If the pack has neither.
    """
    for place in pack.places:
        if place.place_id == place_id:
            return _middle(place.polygon)
    if place_id in pack.areas:
        return Named(None, None, place_id)
    raise BadInput(f"address_id={place_id[:60]!r}", "must be a place or an area of the district", "see its map")


def place_named(pack: Pack, text: str) -> Named:
    """Return where an address is: at the longest name of a place or of a small area that it holds.

    There is no table of houses, so a street and a number alone are not found.

    Raises
    ------
    BadInput
        If it holds no such name.
    """
    asked = _plain(text)
    found = [(len(name), name, named) for name, named in _names(pack) if name in asked]
    if not found:
        rule = "must hold the name of a place or area that the district's map knows"
        raise BadInput(f"address {text[:60]!r}", rule, "give the point (lat and long) as well, or another name")
    return max(found, key=lambda one: one[:2])[2]


def _names(pack: Pack) -> Iterator[tuple[str, Named]]:
    fine = {one.key for one in pack.areas.levels[-2:]}
    for area in pack.areas:
        if area.level in fine and area.parent_id is not None:
            for name in area.name.values():
                yield _plain(name), Named(None, None, area.area_id)
    for place in pack.places:
        for name in place.name.values():
            yield _plain(name), _middle(place.polygon)


def _middle(polygon: object) -> Named:
    point = polygon.representative_point()  # type: ignore[attr-defined]  # shapely is untyped
    return Named(float(point.x), float(point.y), None)


def _plain(text: str) -> str:
    return "".join(text.casefold().split())
