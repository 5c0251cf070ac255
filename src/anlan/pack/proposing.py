"""A plausible layout for a district that has none: places to look at, devices for its simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import Area2D, Floats
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind, GridSpec, Label, Place, Street

_CARRIAGEWAY_M: Mapping[str, float] = {
    "primary": 20.0, "secondary": 16.0, "tertiary": 12.0, "residential": 8.0, "unclassified": 8.0,
}  # fmt: skip
_BUSY: Mapping[str, float] = {
    "pedestrian": 4.0, "secondary": 2.0, "primary": 1.5, "tertiary": 1.5, "living_street": 1.2,
}  # fmt: skip
_GATES_PER_PLACE = 3
_AREA_SHARE = 0.3
_PLACE_STRETCH_M = 800.0
_PLACE_HALF_WIDTH_M = 15.0
_GRID_M = 200.0
_TEXTS: Mapping[str, Label] = {
    "gate": {"zh": "{name} {k} 号门", "en": "{name} gate {k}"},
    "passage": {"zh": "{name}断面 {k}", "en": "{name} passage {k}"},
    "camera": {"zh": "{name}摄像机 {k}", "en": "{name} camera {k}"},
    "grid": {"zh": "手机位置网格", "en": "Phone location grid"},
    "place": {"zh": "{name}（建议）", "en": "{name} (proposed)"},
}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A point where a device could stand: in metres, with the direction of its street."""

    x: float
    y: float
    along: tuple[float, float]
    street: Street
    score: float


def propose_places(pack: Pack, n: int = 8) -> Pack:
    """Return the pack with n walkable places where it has none: stretches of its widest and longest named streets.

    A place is at most 800 m of a street and bears its name with the word "proposed". A pack with places is returned
    as it is.

    Parameters
    ----------
    pack : Pack
    n : int
        How many places, at least 1.

    Raises
    ------
    BadInput
        If n is below 1.
    """
    if n < 1:
        raise BadInput(f"n={n}", "must be >= 1 places", "say how many to propose")
    if pack.places:
        return pack
    named: dict[str, list[Street]] = {}
    inside = _inside(pack)
    for street in inside:
        if street.name:
            named.setdefault(str(sorted(street.name.items())), []).append(street)
    stretches = sorted((_stretch(pack, streets) for streets in named.values()), key=lambda found: -found[0])
    places: list[Place] = []
    taken: list[BaseGeometry] = []
    for _, line, street in stretches:
        shape = line.buffer(_PLACE_HALF_WIDTH_M, cap_style="flat")
        if len(places) == n or any(shape.distance(other) < 4 * _PLACE_HALF_WIDTH_M for other in taken):
            continue
        polygon = shapely.intersection(pack.projection.unproject(shape), pack.boundary)
        if polygon.is_empty or polygon.geom_type not in ("Polygon", "MultiPolygon"):
            continue
        taken.append(shape)
        places.append(
            Place(
                place_id=f"proposed-{len(places) + 1}",
                name=_text("place", street.name, 0, pack.languages),
                kind="street",
                polygon=polygon,
                walkable_share=min(1.0, street.width_m / (2 * _PLACE_HALF_WIDTH_M)),
            )
        )
    return replace(pack, places=tuple(places))


def propose_devices(pack: Pack, n: int, rng: np.random.Generator) -> Pack:
    """Return the pack with n simulated devices where it has none, placed as a district might place them.

    Gates close every closed place (three each, "in" is inwards); one location grid of 200 m squares covers the
    district; three in ten of the rest are area cameras at crossings and in places, the others passages across busy
    streets, spread over the district. Where streets are few there are fewer devices. A pack with devices is returned
    as it is.

    Parameters
    ----------
    pack : Pack
    n : int
        How many devices in all, at least 1.
    rng : numpy.random.Generator
        Decides between streets that are equally good.

    Raises
    ------
    BadInput
        If n is below 1, or the root area has no polygon.
    """
    if n < 1:
        raise BadInput(f"n={n}", "must be >= 1 devices", "say how many to propose")
    if pack.devices:
        return pack
    if pack.boundary.is_empty:
        raise BadInput(f"pack {pack.pack_id!r}", "must have an outline", "draw the polygon of its root area")
    devices = [gate for place in pack.places if place.closed for gate in _gates(pack, place)][: n - 1]
    devices.append(_grid(pack))
    rest = n - len(devices)
    n_cameras = round(rest * _AREA_SHARE)
    streets = _inside(pack)
    cameras = _cameras(pack, streets, n_cameras, rng)
    passages = _passages(pack, streets, rest - len(cameras), rng)
    return replace(pack, devices=(*devices[:-1], *passages, *cameras, devices[-1]))


def _inside(pack: Pack) -> list[Street]:
    """Return the walkable streets whose middle lies in the district."""
    afoot = [street for street in pack.streets if street.walk and street.width_m > 0]
    if not afoot:
        return []
    middles = shapely.line_interpolate_point(np.array([s.line for s in afoot], dtype=object), 0.5, normalized=True)
    shapely.prepare(pack.boundary)
    return [s for s, is_in in zip(afoot, shapely.contains(pack.boundary, middles), strict=True) if is_in]


def _stretch(pack: Pack, streets: Sequence[Street]) -> tuple[float, BaseGeometry, Street]:
    """Return the score, the line (metres) and the widest piece of one street's stretch of at most 800 m."""
    lines = shapely.union_all([pack.projection.project(street.line) for street in streets])
    heart = shapely.centroid(lines)
    near = shapely.intersection(lines, heart.buffer(_PLACE_STRETCH_M / 2))
    if near.is_empty:  # a street bent round its centroid
        near = lines
    widest = max(streets, key=lambda street: (street.width_m, street.street_id))
    return min(near.length, _PLACE_STRETCH_M) * widest.width_m * _BUSY.get(widest.street_class, 1.0), near, widest


def _gates(pack: Pack, place: Place) -> list[Device]:
    """Return gates on the outline of a closed place, near streets where there are any, as far apart as can be."""
    ring = max(shapely.get_parts(pack.projection.project(place.polygon)), key=lambda part: part.area).exterior
    clockwise = ring.reverse() if ring.is_ccw else ring  # so that "in", from left to right, is inwards
    half = min(4.0, clockwise.length / 20)
    spots = _straight(clockwise, np.linspace(0, clockwise.length, 60, endpoint=False), half)
    points = shapely.line_interpolate_point(clockwise, spots)
    afoot = [pack.projection.project(street.line) for street in pack.streets if street.walk]
    away = shapely.distance(shapely.union_all(afoot), points) if afoot else np.zeros(len(spots))
    chosen = [int(np.argmin(away))]
    while len(chosen) < min(_GATES_PER_PLACE, len(spots)):
        apart = np.abs(spots[:, None] - spots[chosen])
        apart = np.minimum(apart, clockwise.length - apart).min(axis=1)
        chosen.append(int(np.argmax(apart - 2 * away)))
    gates = []
    for k, spot in enumerate(spots[sorted(set(chosen))], 1):
        ends = [clockwise.interpolate((spot + step) % clockwise.length) for step in (-half, half)]
        gates.append(
            Device(
                device_id=f"gate-{place.place_id}-{k}",
                kind=DeviceKind.GATE,
                name=_text("gate", place.name, k, pack.languages),
                geometry=pack.projection.unproject(LineString(ends)),
                place_id=place.place_id,
                expected_error=0.03,
            )
        )
    return gates


def _straight(ring: BaseGeometry, spots: Floats, half: float) -> Floats:
    """Return the spots around which the ring is straight, all where it is nowhere: a gate does not bend."""
    before = shapely.get_coordinates(shapely.line_interpolate_point(ring, (spots - half) % ring.length))
    after = shapely.get_coordinates(shapely.line_interpolate_point(ring, (spots + half) % ring.length))
    straight = np.hypot(*(after - before).T) > 2 * half * 0.999
    return spots[straight] if straight.any() else spots


def _grid(pack: Pack) -> Device:
    west, south, east, north = pack.projection.project(pack.boundary).bounds
    west, south = math.floor(west / _GRID_M) * _GRID_M, math.floor(south / _GRID_M) * _GRID_M
    n_columns, n_rows = math.ceil((east - west) / _GRID_M), math.ceil((north - south) / _GRID_M)
    outline = shapely.box(west, south, west + n_columns * _GRID_M, south + n_rows * _GRID_M)
    return Device(
        device_id="grid-1",
        kind=DeviceKind.GRID,
        name=_text("grid", {}, 1, pack.languages),
        geometry=pack.projection.unproject(outline),
        interval_s=300.0,
        expected_error=0.1,
        grid=GridSpec(
            west_m=west,
            south_m=south,
            size_m=_GRID_M,
            n_columns=n_columns,
            n_rows=n_rows,
            suppressed_below=10,
            market_share=0.3,
            blur_m=60.0,
        ),
    )


def _passages(pack: Pack, streets: Sequence[Street], n: int, rng: np.random.Generator) -> list[Device]:
    """Return lines across the middle of busy streets."""
    middles = []
    for street in streets:
        line = pack.projection.project(street.line)
        if line.length >= 30:
            middles.append(_candidate(line, line.length / 2, street, rng))
    devices = []
    for k, found in enumerate(_spread(middles, n), 1):
        half = (found.street.width_m + _CARRIAGEWAY_M.get(found.street.street_class, 0.0)) / 2
        across = np.array([-found.along[1], found.along[0]]) * half
        middle = np.array([found.x, found.y])
        devices.append(
            Device(
                device_id=f"passage-{k:02d}",
                kind=DeviceKind.PASSAGE,
                name=_text("passage", found.street.name, k, pack.languages),
                geometry=pack.projection.unproject(LineString([middle - across, middle + across])),
            )
        )
    return devices


def _cameras(pack: Pack, streets: Sequence[Street], n: int, rng: np.random.Generator) -> list[Device]:
    """Return fields of view of 25 to 60 m: one in each place first, then at the crossings of busy streets."""
    views: list[tuple[Label, Area2D]] = []
    for place in pack.places:
        inside = pack.projection.project(place.polygon)
        x, y = shapely.get_coordinates(shapely.point_on_surface(inside))[0]
        view = shapely.intersection(_view(x, y, (1.0, 0.0), rng), inside)
        if view.geom_type == "Polygon":
            views.append((place.name, view))
    ends = []
    for street in streets:
        line = pack.projection.project(street.line)
        ends.append(_candidate(line, line.length, street, rng))
    crossings = _spread(ends, n - len(views))
    views.extend((found.street.name, _view(found.x, found.y, found.along, rng)) for found in crossings)
    return [
        Device(
            device_id=f"camera-{k:02d}",
            kind=DeviceKind.AREA,
            name=_text("camera", name, k, pack.languages),
            geometry=pack.projection.unproject(view),
            expected_error=0.1,
        )
        for k, (name, view) in enumerate(views[: max(n, 0)], 1)
    ]


def _view(x: float, y: float, along: tuple[float, float], rng: np.random.Generator) -> Area2D:
    """Return a rectangle about a point (metres), its length along a direction."""
    length, width = rng.uniform(40, 60), rng.uniform(25, 40)
    forward, aside = np.array(along) * length / 2, np.array([-along[1], along[0]]) * width / 2
    middle = np.array([x, y])
    corners = [middle + forward + aside, middle + forward - aside, middle - forward - aside, middle - forward + aside]
    return shapely.Polygon(corners)


def _candidate(line: LineString, at_m: float, street: Street, rng: np.random.Generator) -> _Candidate:
    spot = line.interpolate(at_m)
    behind, ahead = line.interpolate(max(at_m - 5, 0)), line.interpolate(min(at_m + 5, line.length))
    step = np.array([ahead.x - behind.x, ahead.y - behind.y])
    step = step / max(float(np.hypot(*step)), 1e-9)
    busy = _BUSY.get(street.street_class, 1.0) * street.width_m * (1.0 if street.name else 0.3)
    return _Candidate(spot.x, spot.y, (float(step[0]), float(step[1])), street, busy * float(rng.lognormal(0, 0.4)))


def _spread(candidates: Sequence[_Candidate], n: int) -> list[_Candidate]:
    """Return n of the candidates, best first, none nearer to another than the widest spacing that n allows."""
    if n <= 0 or not candidates:
        return []
    ranked = sorted(candidates, key=lambda found: (-found.score, found.street.street_id))
    spacing_m = 400.0
    chosen = _apart(ranked, n, spacing_m)
    while len(chosen) < min(n, len(ranked)) and spacing_m > 10:
        spacing_m *= 0.85
        chosen = _apart(ranked, n, spacing_m)
    return chosen


def _apart(ranked: Sequence[_Candidate], n: int, spacing_m: float) -> list[_Candidate]:
    places: Floats = np.empty((n, 2))
    chosen: list[_Candidate] = []
    for found in ranked:
        at = np.array([found.x, found.y])
        if chosen and np.hypot(*(places[: len(chosen)] - at).T).min() < spacing_m:
            continue
        places[len(chosen)] = at
        chosen.append(found)
        if len(chosen) == n:
            break
    return chosen


def _text(kind: str, name: Label, k: int, languages: Sequence[str]) -> Label:
    """Return the name of a proposed thing in each language; where it has no name in one, another stands in."""
    label = {}
    any_name = next(iter(name.values()), "")
    for language in languages:
        pattern = _TEXTS[kind].get(language, _TEXTS[kind]["en"])
        label[language] = pattern.format(name=name.get(language, any_name), k=k).strip()
    return label
