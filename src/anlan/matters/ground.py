"""Where cases lie: places of areas in a walk through the tree, so that an area with all below it is one range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from anlan.kernel.access import Scope
from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class Placed:
    """An area with its rank, and the last rank of what lies below it."""

    rank: int
    last: int


class Ground:
    """The areas of a district as cases need them."""

    def __init__(self, areas: AreaTree) -> None:
        self.areas = areas
        self.root = areas.root.area_id
        self._placed: dict[str, Placed] = {}
        self._walk()
        told = "\n".join(f"{name} {one.rank} {one.last}" for name, one in sorted(self._placed.items()))
        self.at(*_middle(areas))  # the first look makes the index of each level, and nobody is to wait for that
        self.digest = sha256(told.encode()).hexdigest()

    def _walk(self) -> None:
        order: list[str] = []
        waiting = [self.root]
        while waiting:
            order.append(waiting.pop())
            waiting += [one.area_id for one in reversed(self.areas.children(order[-1]))]
        last = {name: k for k, name in enumerate(order)}
        for name in reversed(order):
            parent = self.areas.area(name).parent_id
            if parent is not None:
                last[parent] = max(last[parent], last[name])
        self._placed = {name: Placed(k, last[name]) for k, name in enumerate(order)}

    def lies(self, area_id: str) -> dict[str, str]:
        """Return the areas that hold an area, level to id, top first; only the top where the area has gone."""
        known = area_id if area_id in self._placed else self.root
        return {one.level: one.area_id for one in self.areas.path(known)}

    def rank(self, area_id: str) -> int:
        """Return an area's rank; the top's where it has gone."""
        return self._placed.get(area_id, self._placed[self.root]).rank

    def range_of(self, area_id: str) -> tuple[int, int]:
        """Return the ranks of an area and all below it.

        Raises
        ------
        BadInput
            If the district has no such area.
        """
        if area_id not in self._placed:
            raise BadInput(f"area={area_id!r}", "must be in the district", "list the areas to see their ids")
        placed = self._placed[area_id]
        return placed.rank, placed.last

    def ranges(self, area_ids: Iterable[str]) -> tuple[tuple[int, int], ...]:
        """Return areas with all below them as few ranges that do not touch."""
        found: list[tuple[int, int]] = []
        for low, high in sorted(self.range_of(one) for one in set(area_ids) if one in self._placed):
            if found and low <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], high))
            else:
                found.append((low, high))
        return tuple(found)

    def of_scope(self, scope: Scope) -> tuple[tuple[int, int], ...]:
        """Return where a right is held."""
        return (self.range_of(self.root),) if scope.everywhere else self.ranges(scope.area_ids)

    def at(self, lon: float, lat: float) -> str | None:
        """Return the finest area that holds a point (degrees), None outside the district."""
        for level in reversed(self.areas.levels):
            found = self.areas.at(lon, lat, level.key)
            if found is not None:
                return found.area_id
        return None


def _middle(areas: AreaTree) -> tuple[float, float]:
    """Return a point of the top area, degrees; that of nowhere where it is not drawn."""
    if areas.root.polygon is None:
        return 0.0, 0.0
    point = areas.root.polygon.representative_point()
    return point.x, point.y
