"""The tree of areas: district, streets, grids, committees, micro-grids, or whatever levels a district has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import shapely

from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.geo import Area2D
from anlan.kernel.records import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the tree: its key (``committee``) and its label."""

    key: str
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A node of the tree. ``polygon`` is in degrees, or None where nobody has drawn it yet.

    ``residents`` is how many live there by the last census, all levels below included; None where it is not told.
    """

    area_id: str
    level: str
    parent_id: str | None
    name: Label
    polygon: Area2D | None
    residents: float | None = None


class AreaTree:
    """Areas of any number of levels, top first, with their geometry index.

    Raises
    ------
    BadInput
        If an id comes twice, a parent is missing or of a lower level, or there is not exactly one root.
    """

    def __init__(self, levels: Iterable[Level], areas: Iterable[Area]) -> None:
        self.levels = tuple(levels)
        rank = {level.key: k for k, level in enumerate(self.levels)}
        self._areas: dict[str, Area] = {}
        self._children: dict[str, list[str]] = {}
        for area in areas:
            if area.area_id in self._areas:
                raise BadInput(f"area_id={area.area_id!r}", "must be unique in the tree", "rename one of the two")
            if area.level not in rank:
                raise BadInput(f"level={area.level!r}", f"must be one of {', '.join(rank)}", "declare the level")
            self._areas[area.area_id] = area
        roots = [a for a in self._areas.values() if a.parent_id is None]
        if len(roots) != 1:
            raise BadInput(f"{len(roots)} areas without parent", "must be exactly one root", "give the others a parent")
        self.root = roots[0]
        for area in self._areas.values():
            if area.parent_id is None:
                continue
            parent = self._areas.get(area.parent_id)
            if parent is None:
                raise BadInput(
                    f"parent={area.parent_id!r} of area {area.area_id!r}", "must exist", "add it or correct the parent"
                )
            if rank[parent.level] >= rank[area.level]:
                raise BadInput(
                    f"parent={parent.area_id!r} ({parent.level}) of area {area.area_id!r} ({area.level})",
                    "must be of a higher level",
                    "correct the parent",
                )
            self._children.setdefault(parent.area_id, []).append(area.area_id)
        self._trees: dict[str, tuple[list[Area], shapely.STRtree]] = {}

    def __len__(self) -> int:
        return len(self._areas)

    def __iter__(self) -> Iterator[Area]:
        return iter(self._areas.values())

    def __contains__(self, area_id: object) -> bool:
        return area_id in self._areas

    def area(self, area_id: str) -> Area:
        """Return the area of that id.

        Raises
        ------
        NotFound
            If the tree has none.
        """
        try:
            return self._areas[area_id]
        except KeyError:
            raise NotFound(
                f"area_id={area_id!r}", "is not in the district", "list the areas to see their ids"
            ) from None

    def of_level(self, level: str) -> list[Area]:
        """Return the areas of one level, in the order of the pack."""
        return [area for area in self._areas.values() if area.level == level]

    def children(self, area_id: str) -> list[Area]:
        """Return the areas directly below."""
        return [self._areas[child] for child in self._children.get(area_id, ())]

    def path(self, area_id: str) -> list[Area]:
        """Return the areas from the root down to this one."""
        chain = [self.area(area_id)]
        while chain[-1].parent_id is not None:
            chain.append(self._areas[chain[-1].parent_id])
        return chain[::-1]

    def at(self, lon: float, lat: float, level: str) -> Area | None:
        """Return the area of one level that holds the point (degrees), or None outside all of them."""
        if level not in self._trees:
            drawn = [area for area in self.of_level(level) if area.polygon is not None]
            self._trees[level] = (drawn, shapely.STRtree([area.polygon for area in drawn]))
        drawn, tree = self._trees[level]
        hits = tree.query(shapely.Point(lon, lat), predicate="intersects")
        return drawn[int(hits.min())] if len(hits) else None
