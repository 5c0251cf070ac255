"""Packs as Hypothesis draws them: any tree, any names, every kind of record."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.pack import Pack
from anlan.kernel.records import (
    Calendar,
    Device,
    DeviceKind,
    Gateway,
    GridSpec,
    Place,
    Post,
    Station,
    Street,
    Thresholds,
    Unit,
)

LON, LAT = 121.48, 31.22
RISING = Thresholds(notice_per_m2=0.5, yellow_per_m2=1, orange_per_m2=2.25, red_per_m2=3)
_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(str.strip)
_texts = _texts.filter(bool)
_labels = st.fixed_dictionaries({}, optional={"zh": _texts, "en": _texts})
_steps = st.integers(-90_000, 90_000)
_lons, _lats = _steps.map(lambda k: round(LON + k * 1e-7, 7)), _steps.map(lambda k: round(LAT + k * 1e-7, 7))
_points = st.builds(Point, _lons, _lats)
_numbers = st.floats(0.5, 500, allow_nan=False)


def _car(k, name):
    return Unit(
        unit_id=f"u{k}",
        name=name,
        kind="car",
        crew=4,
        station_id="st",
        capabilities=("medical", "crowd"),
        agency="fire",
    )


@st.composite
def boxes(draw):
    lon, lat = draw(_lons), draw(_lats)
    one = box(lon, lat, round(lon + 0.001, 7), round(lat + 0.001, 7))
    hole = [(round(lon + d, 7), round(lat + e, 7)) for d, e in ((3e-4, 3e-4), (6e-4, 3e-4), (6e-4, 6e-4))]
    other = box(round(lon + 0.002, 7), lat, round(lon + 0.003, 7), round(lat + 0.001, 7))
    holed = Polygon(one.exterior.coords, [hole])
    return draw(st.sampled_from([one, holed, MultiPolygon([holed, other])]))


@st.composite
def lines(draw):
    points = draw(st.lists(st.tuples(_lons, _lats), min_size=2, max_size=5, unique=True))
    return LineString(points)


def _each(draw, count, make):
    return tuple(make(k) for k in range(draw(st.integers(0, count))))


@st.composite
def devices(draw, n, place):
    kind = draw(st.sampled_from(DeviceKind))
    over_line = kind in (DeviceKind.GATE, DeviceKind.PASSAGE, DeviceKind.ROAD)
    grid = None
    if kind is DeviceKind.GRID:
        grid = GridSpec(
            west_m=-100.5, south_m=-50.0, size_m=draw(_numbers), n_columns=draw(st.integers(1, 9)), n_rows=3,
            suppressed_below=draw(st.integers(0, 10)), market_share=draw(st.floats(0.01, 1)),
        )  # fmt: skip
    return Device(
        device_id=f"d{n}",
        kind=kind,
        name=draw(_labels),
        geometry=draw(lines() if over_line else boxes()),
        place_id=place if kind is DeviceKind.GATE else None,
        interval_s=draw(_numbers),
        expected_error=draw(st.floats(0, 1)),
        directed=draw(st.booleans()),
        grid=grid,
    )


@st.composite
def packs(draw):
    names = lambda: draw(_labels)  # noqa: E731 - each call draws anew
    root = Area(area_id="r", level="district", parent_id=None, name=names(), polygon=box(121.4, 31.1, 121.6, 31.3))
    streets = [
        Area(
            area_id=f"s{k}",
            level="street",
            parent_id="r",
            name=names(),
            polygon=draw(st.none() | boxes()),
            residents=draw(st.none() | st.integers(0, 10**6).map(float)),
        )
        for k in range(draw(st.integers(0, 4)))
    ]
    place = Place(
        place_id="p0",
        name=names(),
        kind=draw(_texts),
        polygon=draw(boxes()),
        capacity=draw(st.none() | st.integers(1, 10**6)),
        closed=draw(st.booleans()),
        walkable_share=draw(st.floats(0.01, 1)),
        key=draw(st.booleans()),
        thresholds=draw(st.sampled_from([Thresholds(), RISING])),
    )
    street = lambda k: Street(  # noqa: E731
        street_id=f"w{k}", name=names(), street_class=draw(_texts), line=draw(lines()), width_m=draw(_numbers),
        speed_kmh=draw(_numbers), oneway=draw(st.booleans()), walk=draw(st.booleans()),
    )  # fmt: skip
    levels = [Level(key="district", label={}), Level(key="street", label={"en": "Street"})]
    days = draw(st.lists(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=4, unique=True))
    return Pack(
        pack_id="any",
        version=draw(_texts),
        name={"zh": draw(_texts)},
        time_zone="Asia/Shanghai",
        languages=("zh", "en"),
        lon=LON,
        lat=LAT,
        areas=AreaTree(levels[: 1 + bool(streets)], [root, *streets]),
        places=(place,),
        streets=_each(draw, 3, street),
        devices=_each(draw, 3, lambda k: draw(devices(k, "p0"))),
        gateways=_each(draw, 2, lambda k: Gateway(gateway_id=f"g{k}", kind="metro", name=names(), point=draw(_points))),
        water=_each(draw, 2, lambda _: draw(boxes())),
        green=_each(draw, 2, lambda _: draw(boxes())),
        stations=(Station(station_id="st", name=names(), point=draw(_points)),),
        posts=_each(draw, 2, lambda k: Post(post_id=f"k{k}", name=names(), point=draw(_points))),
        units=_each(draw, 2, lambda k: _car(k, names())),
        calendar=Calendar(
            rest_days={on: names() for on in days[::2]},
            working_days={on: names() for on in days[1::2]},
            confirmed_years=draw(st.frozensets(st.integers(2025, 2027))),
        ),
        cell_m=draw(st.floats(5, 200)),
        block_share=draw(st.floats(0, 1)),
        schematic=draw(st.booleans()),
        notice=names(),
        attribution=draw(_texts),
        figures=draw(st.dictionaries(_texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3)),
    )  # fmt: skip


def same(one, other):
    """Tell whether two packs say the same of everything but the folder they were read from."""
    fields = [name for name in Pack.__dataclass_fields__ if name not in ("areas", "folder")]
    told = [(name, getattr(one, name), getattr(other, name)) for name in fields]
    told += [("levels", one.areas.levels, other.areas.levels), ("areas", list(one.areas), list(other.areas))]
    different = [name for name, mine, theirs in told if mine != theirs]
    assert not different, different
    return np.True_
