from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
import shapely

from anlan.crowd import Cells, Counter, Estimator
from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.geo import Projection
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind, GridSpec, Observation, Place, Street

PLANE = Projection(121.485, 31.22)
AT = datetime(2026, 12, 31, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def degrees(shape):
    return PLANE.unproject(shape)


def small_pack(devices, **more):
    """A kilometre square with a street each way every 100 m, a closed hall in the middle and a lake in a corner."""
    square = shapely.box(-500, -500, 500, 500)
    stops = [-500, *range(-450, 451, 100), 500]
    pieces = [(c, a, b) for c in range(-450, 451, 100) for a, b in pairwise(stops)]
    lines = [shapely.LineString(ends) for c, a, b in pieces for ends in ([(c, a), (c, b)], [(a, c), (b, c)])]
    streets = [
        Street(street_id=str(k), name={}, street_class="tertiary", line=degrees(line), width_m=10.0, speed_kmh=30.0)
        for k, line in enumerate(lines)
    ]
    hall = Place(
        place_id="hall", name={"en": "Hall"}, kind="venue", polygon=degrees(shapely.box(-60, -60, 60, 60)), closed=True
    )
    tree = AreaTree(
        [Level(key="district", label={}), Level(key="half", label={})],
        [
            Area(area_id="d", level="district", parent_id=None, name={}, polygon=degrees(square)),
            Area(area_id="w", level="half", parent_id="d", name={}, polygon=degrees(shapely.box(-500, -500, 0, 500))),
            Area(area_id="e", level="half", parent_id="d", name={}, polygon=degrees(shapely.box(0, -500, 500, 500))),
        ],
    )
    told = {"places": (hall,), "water": (degrees(shapely.box(350, 350, 500, 500)),), **more}
    return Pack(
        pack_id="small", version="1", name={}, time_zone="Asia/Shanghai", languages=("en",), lon=121.485, lat=31.22,
        areas=tree, streets=tuple(streets), devices=tuple(devices), **told,
    )  # fmt: skip


def gate(k, x):
    line = shapely.LineString([(x, 58), (x + 4, 58)])
    return Device(device_id=f"gate-{k}", kind=DeviceKind.GATE, name={}, geometry=degrees(line), place_id="hall")


def view(k, x, y):
    return Device(
        device_id=f"view-{k}", kind=DeviceKind.AREA, name={}, geometry=degrees(shapely.box(x, y, x + 40, y + 40))
    )


def passage(k, x, *, directed=True, interval_s=60.0):
    line = shapely.LineString([(x, -455), (x, -445)])
    return Device(
        device_id=f"passage-{k}", kind=DeviceKind.PASSAGE, name={}, geometry=degrees(line), directed=directed,
        interval_s=interval_s,
    )  # fmt: skip


GRID = Device(
    device_id="lbs",
    kind=DeviceKind.GRID,
    name={},
    geometry=degrees(shapely.box(-600, -600, 600, 600)),
    interval_s=300.0,
    grid=GridSpec(west_m=-600.0, south_m=-600.0, size_m=200.0, n_columns=6, n_rows=6, market_share=0.5, blur_m=30.0),
)


def seen(device_id, at, sequence=0, length=MINUTE, **values):
    return Observation(device_id=device_id, begin_at=at - length, end_at=at, sequence=sequence, **values)


class Small:
    def __init__(self, devices, **more):
        self.pack = small_pack(devices, **more)
        self.cells = Cells.of(self.pack)
        self.estimator = Estimator(self.pack, self.cells)
        self.counter = Counter(self.pack, self.cells)

    def run(self, minutes, counts, state=None, begin=AT):
        state = state or self.estimator.start(begin)
        for k in range(1, minutes + 1):
            at = state.present.at + MINUTE
            state = self.estimator.advance(state, counts(at, k), at)
        return state

    def many(self, state, shapes):
        parts = [self.counter.shares(degrees(shape)) for shape in shapes]
        return self.counter.many(self.estimator.field(state), parts, state.present.at)


@pytest.fixture(scope="session")
def everything():
    return Small([gate(1, -40), gate(2, 30), view(1, -470, -470), view(2, 130, 130), passage(1, 200), GRID])


def grid_counts(small, persons, share=0.5):
    expected = small.estimator.sources.grids[0].weights @ persons * share
    return np.round(expected)
