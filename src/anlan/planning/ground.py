"""A pack as ground to plan on: junctions at which units may wait, points that need help, and the times between them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from io import StringIO

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from shapely.geometry import MultiPolygon, Point, Polygon

from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.geo import Area2D, Floats
from anlan.kernel.pack import Pack
from anlan.kernel.records import Label
from anlan.response.travel import MODES, Conditions, Mode, Network, Piece, StreetGraph

Ints = npt.NDArray[np.int64]

PIECE_M = 100.0
"""Streets are cut into pieces of at most this, so that a key area in mid-street has points of its own."""
WALK_M_PER_S = 2.0
"""From the junction where a vehicle stops to a point beside it: the pace of ``FOOT``."""
LONGEST_S = 900.0
"""Further than this nobody looks for a nearest post."""
KEY_M = 30.0
"""What lies within this of a key area belongs to it: its kerbs are outside its polygon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of the day that are planned as one, with what is assumed of them.

    ``out_share`` is the part of the demand that follows people who are out (streets, places), the rest follows
    residents; ``busy`` is the share of time in which a unit is not free. Both are assumptions: give your own demand by
    period, and what your own log says of how busy units are.
    """

    key: str
    label: Label
    begin: int
    end: int
    out_share: float
    busy: float

    @property
    def length(self) -> float:
        """Hours it lasts."""
        return float((self.end - self.begin) % 24 or 24)

    def slowest(self, mode: Mode) -> int:
        """Return the hour of it in which the mode is slowest: what is promised must hold then, too."""
        hours = [(self.begin + k) % 24 for k in range(int(self.length))]
        return min(hours, key=lambda hour: mode.by_hour[hour])


PERIODS = (
    Hours(key="night", label={"zh": "夜间", "en": "night"}, begin=0, end=6, out_share=0.2, busy=0.10),
    Hours(key="morning", label={"zh": "早高峰", "en": "morning peak"}, begin=6, end=10, out_share=0.6, busy=0.25),
    Hours(key="noon", label={"zh": "日间", "en": "day"}, begin=10, end=16, out_share=0.7, busy=0.25),
    Hours(key="evening", label={"zh": "晚高峰", "en": "evening peak"}, begin=16, end=20, out_share=0.7, busy=0.30),
    Hours(key="late", label={"zh": "夜市", "en": "late evening"}, begin=20, end=22, out_share=0.7, busy=0.30),
    Hours(key="closing", label={"zh": "深夜", "en": "closing time"}, begin=22, end=24, out_share=0.5, busy=0.20),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Demand:
    """Where help is needed: points in the local plane, weights (P, D) by period, and what the points are called."""

    x_m: Floats
    y_m: Floats
    weight: Floats
    names: tuple[str, ...]
    source: str
    """``pack`` or ``file``: told beside every result."""

    def __len__(self) -> int:
        return len(self.x_m)


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """The streets of a district, cut into pieces, and the junctions in it."""

    pack: Pack
    graph: StreetGraph
    junctions: Ints
    """Where streets meet or end, within the district."""
    key: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """Nodes of key areas, on which foot patrols may stand, too."""
    language: str = "zh"

    @classmethod
    def of(cls, pack: Pack, language: str = "zh") -> Ground:
        """Return the ground of a pack.

        Raises
        ------
        BadInput
            If the pack has no street, or none within its boundary.
        """
        graph = StreetGraph.of(pack.streets, pack.projection, piece_m=PIECE_M)
        inside = graph.inside(pack.boundary) if not pack.boundary.is_empty else np.arange(graph.n_nodes)
        junctions = np.intersect1d(graph.junctions(), inside).astype(np.int64)
        if not len(junctions):
            raise BadInput(
                f"district {pack.pack_id!r}", "must have streets within its boundary", "add streets to its pack"
            )
        return cls(pack=pack, graph=graph, junctions=junctions, language=language)

    def named(self, label: Mapping[str, str]) -> str:
        """Return a name in the language asked for, in another where it has none."""
        return label.get(self.language) or next((text for text in label.values() if text), "")

    @cached_property
    def networks(self) -> dict[str, Network]:
        """The network of each way of moving, with lights and siren where there are any."""
        return {key: Network.of(self.graph, mode, Conditions(siren=True)) for key, mode in MODES.items()}

    def pieces(self, kind: str) -> list[Piece]:
        """Return the parts of the district's streets between which the kind cannot go, largest first."""
        return self.networks[kind].pieces(self.junctions.astype(np.int32))

    @cached_property
    def sites(self) -> Ints:
        """Where units may wait: junctions, and nodes of key areas, if a walker gets everywhere from there."""
        return np.intersect1d(np.union1d(self.junctions, self.key), self.networks["foot"].main_piece()).astype(np.int64)

    def usable(self, kind: str) -> Ints:
        """Return the sites from which a kind gets everywhere that it gets at all, and back.

        Raises
        ------
        BadInput
            If there is none.
        """
        found = np.flatnonzero(np.isin(self.sites, self.networks[kind].main_piece()))
        if not len(found):
            raise BadInput(
                f"kind {kind!r} in district {self.pack.pack_id!r}",
                "must be able to use the streets of one junction",
                "correct the classes, directions and speeds of its streets",
            )
        return found

    @cached_property
    def site_xy_m(self) -> Floats:
        """Where the sites lie (S, 2), metres."""
        return np.column_stack([self.graph.x_m[self.sites], self.graph.y_m[self.sites]])

    def site_name(self, site: int) -> str:
        """Return what a site is called."""
        return self.named(self.graph.name_of(int(self.sites[site])))

    def site_at(self, point: Point, kind: str) -> int:
        """Return the site of a kind that is nearest to a point in degrees."""
        x, y = self.graph.plane.to_metres(point.x, point.y)
        usable = self.usable(kind)
        return int(usable[np.hypot(*(self.site_xy_m[usable] - [float(x), float(y)]).T).argmin()])

    def existing(self, kind: str) -> tuple[int, ...]:
        """Return the sites at which units of a kind wait today, each once."""
        posts = {post.post_id: post.point for post in self.pack.posts}
        found = {
            self.site_at(posts[one.post_id], kind)
            for one in self.pack.units
            if one.kind == kind and one.post_id in posts
        }
        return tuple(sorted(found))

    def times_s(self, kind: str, hour: int, demand: Demand, limit_s: float = LONGEST_S) -> csr_array:
        """Return the times (S, D) from every site to every point; the last metres are walked.

        A point is reached at the nearest junction to which the kind gets at all.
        """
        network, usable = self.networks[kind].under(Conditions(hour=hour, siren=True)), self.usable(kind)
        node, far_m = self.graph.nearest(demand.x_m, demand.y_m, network.main_piece())
        times = network.reach(self.sites[usable].astype(np.int32), limit_s).matrix_s(node) + far_m / WALK_M_PER_S
        row, point = np.nonzero(times <= limit_s)
        first = np.searchsorted(usable[row], np.arange(len(self.sites) + 1))
        shape = (len(self.sites), len(demand))
        return csr_array((times[row, point].astype(float), point.astype(np.int32), first), shape=shape)

    def with_key(self, areas: Sequence[Area2D]) -> Ground:
        """Return the same ground with key areas (degrees)."""
        return replace(self, key=self.key_points(areas))

    def key_area(self, name: str) -> Area2D:
        """Return the ground (degrees) of a place, street or area of the pack by its id or name.

        Raises
        ------
        NotFound
            If nothing in the pack is called so.
        """
        called = partial(is_called, name)
        parts: list[Area2D] = [place.polygon for place in self.pack.places if called(place.place_id, place.name)]
        parts += [area.polygon for area in self.pack.areas if area.polygon and called(area.area_id, area.name)]
        plane = self.graph.plane
        lines = [plane.project(one.line) for one in self.pack.streets if called(one.street_id, one.name)]
        points = [plane.project(one.point) for one in self.pack.gateways if called(one.gateway_id, one.name)]
        parts += [plane.unproject(shapely.buffer(line, KEY_M)) for line in lines]
        parts += [plane.unproject(shapely.buffer(point, 4 * KEY_M)) for point in points]
        if not parts:
            raise NotFound(
                f"key area {name!r}",
                "is no place, street, area or gateway of the pack",
                "name one of them, or give a GeoJSON file with polygons",
            )
        whole = shapely.union_all(parts)
        inside = shapely.intersection(whole, self.pack.boundary)
        return area_of(whole if inside.is_empty else inside)

    def key_points(self, areas: Sequence[Area2D]) -> Ints:
        """Return the nodes of streets in key areas or at their kerbs; where there is none, the nearest."""
        found: set[int] = set()
        for area in areas:
            ground = self.graph.plane.project(area)
            wide = shapely.buffer(ground, KEY_M)
            shapely.prepare(wide)
            inside = np.flatnonzero(shapely.intersects_xy(wide, self.graph.x_m, self.graph.y_m))
            centre = ground.centroid
            nearest = self.graph.nearest(centre.x, centre.y)[0]
            found.update(int(one) for one in (inside if len(inside) else nearest))
        return np.array(sorted(found), np.int64)


def is_called(name: str, key: str, label: Mapping[str, str]) -> bool:
    """Return whether something of this id and label is meant by a name, whatever its case.

    Examples
    --------
    >>> is_called(" the bund ", "bund", {"zh": "外滩", "en": "The Bund"})
    True
    """
    wanted = name.strip().casefold()
    return bool(wanted) and (wanted == key.casefold() or any(wanted == text.casefold() for text in label.values()))


def offered(pack: Pack) -> list[tuple[str, Label]]:
    """Return what is offered as a key area, by what names it: places, stops, streets. An area may be named, too."""
    found: dict[str, Label] = {one.place_id: one.name for one in pack.places}
    found |= {one.gateway_id: one.name for one in pack.gateways if any(one.name.values())}
    called = {next((text for text in one.name.values() if text), ""): one.name for one in pack.streets}
    return [*found.items(), *sorted((key, label) for key, label in called.items() if key and key not in found)]


def marked(pack: Pack) -> tuple[str, ...]:
    """Return the places that the pack marks as key, by id."""
    return tuple(one.place_id for one in pack.places if one.key)


def label_of(pack: Pack, name: str) -> Label | None:
    """Return the label of what a name means as a key area; None where nothing is called so."""
    known: list[tuple[str, Label]] = [(one.place_id, one.name) for one in pack.places]
    known += [(one.area_id, one.name) for one in pack.areas if one.polygon]
    known += [(one.street_id, one.name) for one in pack.streets]
    known += [(one.gateway_id, one.name) for one in pack.gateways]
    return next((label for key, label in known if is_called(name, key, label)), None)


def area_of(geometry: shapely.Geometry) -> Area2D:
    """Return the polygons of a geometry, without the lines and points that an intersection may leave."""
    if isinstance(geometry, Polygon | MultiPolygon):
        return geometry
    return MultiPolygon([part for part in shapely.get_parts(geometry) if isinstance(part, Polygon)])


def demand_of(ground: Ground, periods: Sequence[Hours] = PERIODS) -> Demand:
    """Return the demand that a pack lets expect at its junctions and in its key areas.

    People out: the walkable ground of the streets at each point, and places by their capacity (or half a person per
    m²). Residents: every lowest area has as many, evenly over its points. Only proportions matter.
    """
    graph, nodes = ground.graph, np.union1d(ground.junctions, ground.key)
    place = np.full(graph.n_nodes, -1, np.int64)
    place[nodes] = np.arange(len(nodes))
    half = np.array([street.width_m if street.walk else 0.0 for street in graph.streets])[graph.street]
    near, _ = graph.nearest(graph.x_m, graph.y_m, nodes.astype(np.int32))
    streets = np.asarray(np.bincount(place[near[graph.tail]], graph.length_m * half / 2, len(nodes)), float)
    places = np.zeros(len(nodes))
    for one in ground.pack.places:
        found = ground.key_points([one.polygon])
        m2 = graph.plane.project(one.polygon).area * one.walkable_share
        at = place[near[found]]
        np.add.at(places, at, (one.capacity or 0.5 * m2) / len(at))
    out, home = _shared(streets) + _shared(places), _shared(_residents(ground, nodes))
    return Demand(
        x_m=graph.x_m[nodes],
        y_m=graph.y_m[nodes],
        weight=np.array([one.out_share * _shared(out) + (1 - one.out_share) * home for one in periods]),
        names=tuple(ground.named(graph.name_of(int(node))) for node in nodes),
        source="pack",
    )


def _shared(part: Floats) -> Floats:
    total = float(part.sum())
    return part / total if total > 0 else part


def _residents(ground: Ground, nodes: Ints) -> Floats:
    """Return as many residents for every area of the lowest drawn level, evenly over the points in it."""
    tree, graph = ground.pack.areas, ground.graph
    drawn = [areas for level in tree.levels if len(areas := [a for a in tree.of_level(level.key) if a.polygon]) > 0]
    made = np.zeros(len(nodes))
    for area in drawn[-1] if drawn else ():
        assert area.polygon is not None  # noqa: S101 - only drawn ones are asked
        inside = np.flatnonzero(np.isin(nodes, graph.inside(area.polygon)))
        made[inside] += 1.0 / max(len(inside), 1)
    return made if made.any() else np.ones(len(nodes))


@dataclass(slots=True)
class _Rows:
    """What a demand file says, line by line."""

    lon: list[float] = field(default_factory=list)
    lat: list[float] = field(default_factory=list)
    weight: list[list[float]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def demand_from(ground: Ground, text: str, periods: Sequence[Hours] = PERIODS) -> Demand:
    """Return the demand of a CSV: ``lon,lat,weight`` and, where wanted, ``name`` and a column for each period's key.

    Raises
    ------
    BadInput
        If a column is missing, a number is none, a weight is negative, or no row is left; the line is named.
    """
    reader = csv.DictReader(StringIO(text))
    columns = set(reader.fieldnames or ())
    by_period = [one.key if one.key in columns else "weight" for one in periods]
    missing = {"lon", "lat", *by_period} - columns
    if missing:
        raise BadInput(
            f"demand columns {', '.join(sorted(columns)) or 'none'}",
            "must hold lon, lat and weight (or one for each period)",
            f"add {min(missing)}",
        )
    rows = _Rows()
    for row in reader:
        _take(rows, row, by_period, reader.line_num)
    if not rows.lon:
        raise BadInput("demand file", "must hold at least one row", "add the points that need help")
    x_m, y_m = ground.graph.plane.to_metres(rows.lon, rows.lat)
    return Demand(x_m=x_m, y_m=y_m, weight=np.array(rows.weight).T, names=tuple(rows.names), source="file")


def _take(rows: _Rows, row: Mapping[str, str | None], by_period: Sequence[str], line: int) -> None:
    try:
        lon, lat = float(row["lon"] or ""), float(row["lat"] or "")
        weight = [float(row[name] or "") for name in by_period]
    except ValueError:
        raise BadInput(f"line {line} of the demand file", "must hold numbers", "correct lon, lat and weight") from None
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise BadInput(f"line {line} at ({lon:g}, {lat:g})", "must be degrees, longitude first", "swap or correct them")
    if not all(np.isfinite(one) and one >= 0 for one in weight):
        raise BadInput(f"line {line} with weight {min(weight):g}", "must be >= 0 and finite", "give incidents expected")
    rows.lon.append(lon)
    rows.lat.append(lat)
    rows.weight.append(weight)
    rows.names.append(row.get("name") or f"{lon:.5f}, {lat:.5f}")
