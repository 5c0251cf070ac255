from dataclasses import replace

import pytest
from shapely.geometry import LineString, Point
from tests.small import PLANE, label, small_pack, square

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.records import Place, Post, Street, Unit

SIDE_M = 200.0


def street(name, begin, end, **more):
    given = {"street_class": "residential", "width_m": 6.0, "speed_kmh": 40.0} | more
    return Street(
        street_id=name, name=label(f"{name}路", name), line=PLANE.unproject(LineString([begin, end])), **given
    )


def town(n=6, *, more=()):
    """Return a pack of n by n junctions 200 m apart, with a key square, two posts and a vehicle at one of them."""
    at = [k * SIDE_M for k in range(n)]
    streets = [street(f"row-{j}-{k}", (at[k], at[j]), (at[k + 1], at[j])) for j in range(n) for k in range(n - 1)]
    streets += [street(f"col-{j}-{k}", (at[j], at[k]), (at[j], at[k + 1])) for j in range(n) for k in range(n - 1)]
    areas = [
        Area(
            area_id="31",
            level="district",
            parent_id=None,
            name=label("镇", "Town"),
            polygon=square(-100, -100, n * SIDE_M),
        )
    ]
    places = (
        Place(place_id="square", name=label("广场", "Square"), kind="square", polygon=square(150, 150, 300), key=True),
        Place(place_id="hall", name=label("馆", "Hall"), kind="venue", polygon=square(750, 750, 100), capacity=60_000),
    )
    spots = {"p-1": (0, 0), "p-2": (at[-1], at[-1])}
    return replace(
        small_pack(),
        areas=AreaTree([Level(key="district", label=label("区", "District"))], areas),
        streets=(*streets, *more),
        places=places,
        devices=(),
        water=(),
        green=(),
        stations=(),
        gateways=(),
        posts=tuple(
            Post(post_id=key, name=label(key, key), point=PLANE.unproject(Point(*xy))) for key, xy in spots.items()
        ),
        units=(Unit(unit_id="v1", name=label("一号", "One"), kind="vehicle", crew=2, post_id="p-2"),),
    )


@pytest.fixture(scope="session")
def pack():
    return town()
