"""A small district for tests of what stands on top: 1 km², three places, six devices of every kind."""

from dataclasses import replace
from itertools import pairwise

from shapely.geometry import LineString, Point, Polygon, box

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.geo import Projection
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind, Gateway, GridSpec, Place, Post, Station, Street, Unit

LON, LAT = 121.48, 31.22
PLANE = Projection(LON, LAT)


def square(west_m, south_m, size_m, height_m=None):
    """Return a rectangle in degrees, given in metres from the centre."""
    return PLANE.unproject(box(west_m, south_m, west_m + size_m, south_m + (height_m or size_m)))


def line(*points):
    return PLANE.unproject(LineString(points))


def label(zh, en):
    return {"zh": zh, "en": en}


def small_pack():
    district = square(-500, -500, 1000)
    areas = [
        Area(area_id="31", level="district", parent_id=None, name=label("小区", "Small"), polygon=district),
        Area(
            area_id="31-w",
            level="street",
            parent_id="31",
            name=label("西街", "West"),
            polygon=square(-500, -500, 500, 1000),
        ),
        Area(
            area_id="31-e",
            level="street",
            parent_id="31",
            name=label("东街", "East"),
            polygon=square(0, -500, 500, 1000),
        ),
    ]
    levels = [
        Level(key="district", label=label("区", "District")),
        Level(key="street", label=label("街道", "Street")),
    ]
    places = (
        Place(
            place_id="garden",
            name=label("园", "Garden"),
            kind="venue",
            polygon=square(-400, 0, 200),
            capacity=5000,
            closed=True,
            key=True,
        ),
        Place(
            place_id="quay",
            name=label("滩", "Quay"),
            kind="promenade",
            polygon=square(100, -400, 80, 600),
            capacity=20_000,
        ),
        Place(place_id="kiosk", name=label("亭", "Kiosk"), kind="square", polygon=square(-50, 300, 10)),
    )
    streets = [
        Street(
            street_id=f"s{k}",
            name=label(f"{k}路", f"Road {k}"),
            street_class="secondary",
            line=line((-500, y), (500, y)),
            width_m=12,
            speed_kmh=40,
        )
        for k, y in enumerate((-300, -100, 100, 300))
    ]
    streets.append(
        Street(
            street_id="walk",
            name=label("步行街", "Walk"),
            street_class="pedestrian",
            line=line((0, -500), (0, 500)),
            width_m=20,
            speed_kmh=5,
        )
    )
    grid = GridSpec(
        west_m=-600, south_m=-600, size_m=200, n_columns=6, n_rows=6, suppressed_below=10, market_share=0.3, blur_m=30
    )
    devices = (
        Device(
            device_id="garden-1",
            kind=DeviceKind.GATE,
            name=label("园一", "Garden 1"),
            geometry=line((-300, 200), (-290, 200)),
            place_id="garden",
        ),
        Device(
            device_id="garden-2",
            kind=DeviceKind.GATE,
            name=label("园二", "Garden 2"),
            geometry=line((-300, 0), (-310, 0)),
            place_id="garden",
        ),
        Device(
            device_id="walk-1", kind=DeviceKind.PASSAGE, name=label("步一", "Walk 1"), geometry=line((-10, 0), (10, 0))
        ),
        Device(
            device_id="sum-1",
            kind=DeviceKind.PASSAGE,
            name=label("总一", "Sum 1"),
            geometry=line((-300, -295), (-300, -305)),
            directed=False,
            interval_s=3600,
        ),
        Device(
            device_id="quay-1",
            kind=DeviceKind.AREA,
            name=label("滩一", "Quay 1"),
            geometry=square(110, -200, 60),
            place_id="quay",
        ),
        Device(
            device_id="grid",
            kind=DeviceKind.GRID,
            name=label("格", "Grid"),
            geometry=square(-600, -600, 1200),
            interval_s=900,
            grid=grid,
        ),
    )
    return Pack(
        pack_id="small",
        version="1",
        name=label("小区", "Small"),
        time_zone="Asia/Shanghai",
        languages=("zh", "en"),
        lon=LON,
        lat=LAT,
        areas=AreaTree(levels, areas),
        places=places,
        streets=tuple(streets),
        devices=devices,
        gateways=tuple(
            Gateway(
                gateway_id=f"g{k}", kind="metro", name=label(f"{k}口", f"Exit {k}"), point=PLANE.unproject(Point(x, y))
            )
            for k, (x, y) in enumerate([(0, -480), (-480, 100), (480, -100)])
        ),
        water=(square(300, -500, 200, 300),),
        green=(square(-400, 0, 200),),
        stations=(Station(station_id="st-1", name=label("站", "Station"), point=PLANE.unproject(Point(10, 10))),),
        posts=(Post(post_id="p-1", name=label("岗", "Post"), point=PLANE.unproject(Point(-10, 10))),),
        schematic=True,
        notice=label("示意图", "Schematic map"),
        attribution="drawn for a test",
        figures={"residents": 20_000.0},
    )


def town_pack():
    """Return the same district with streets that meet every 200 m, three vehicles and a foot patrol at three posts."""
    marks = range(-400, 401, 200)
    ends = [((a, y), (b, y)) for y in marks for a, b in pairwise(marks)]
    ends += [((x, a), (x, b)) for x in marks for a, b in pairwise(marks)]
    streets = tuple(
        Street(
            street_id=f"g{k}",
            name=label(f"{k}路", f"Road {k}"),
            street_class="secondary",
            line=line(*between),
            width_m=12,
            speed_kmh=40,
        )
        for k, between in enumerate(ends)
    )
    spots = {"p-1": (-400, 0), "p-2": (400, 0), "p-3": (0, 400), "p-4": (0, -400)}
    posts = tuple(
        Post(post_id=key, name=label(f"{key}岗", f"Post {key}"), point=PLANE.unproject(Point(*at)))
        for key, at in spots.items()
    )
    units = (
        Unit(unit_id="v1", name=label("一号车", "Car 1"), kind="vehicle", crew=4, post_id="p-1"),
        Unit(
            unit_id="v2",
            name=label("二号车", "Car 2"),
            kind="vehicle",
            crew=4,
            post_id="p-2",
            capabilities=("medical", "crowd"),
        ),
        Unit(unit_id="v3", name=label("三号车", "Car 3"), kind="vehicle", crew=4, post_id="p-3"),
        Unit(unit_id="f1", name=label("步巡一组", "Foot 1"), kind="foot", crew=2, post_id="p-1"),
    )
    return replace(small_pack(), streets=streets, posts=posts, units=units)


def ring(polygon: Polygon):
    """Return a polygon of degrees as GeoJSON."""
    return {"type": "Polygon", "coordinates": [[list(point) for point in polygon.exterior.coords]]}
