"""Whoever asks twice and subtracts learns nothing of less than a parcel.

Two districts stand side by side in which the same devices have counted the same. In the second, people stand elsewhere
within their parcels. An attacker who could tell anything about less than a parcel could tell the two apart.
"""

from contextlib import ExitStack

import httpx
import numpy as np
import pytest
from shapely.geometry import box, mapping
from tests.command.conftest import Live, served
from tests.small import PLANE
from tests.waiting import PATIENCE_S

from anlan.kernel.records import LEAST_PERSONS

MINUTES = 6


class Elsewhere:
    """Parcels that are asked about people who stand elsewhere within them, or with ``bare`` no parcels at all."""

    def __init__(self, parcels, *, moved, bare):
        self._parcels, self._moved, self._bare = parcels, moved, bare

    def spread(self, persons):
        asked = shuffled(self._parcels, persons) if self._moved else persons
        return asked if self._bare else self._parcels.spread(asked)


def shuffled(parcels, persons):
    """Return the people with half of one cell of each parcel in another of its cells, where the parcels stay."""
    number, out = parcels.numbers(persons), persons.copy()
    for parcel in range(number.max() + 1):
        cells = np.flatnonzero(number == parcel)
        fewest, most = cells[persons[cells].argmin()], cells[persons[cells].argmax()]
        tried = out.copy()
        tried[most] += out[fewest] / 2
        tried[fewest] /= 2
        if fewest != most and (parcels.numbers(tried) == number).all():
            out = tried
    return out


class World:
    """A served district, and everything that an attacker may ask of it."""

    def __init__(self, folder, closing, *, moved, bare):
        self.live = Live(folder)
        closing.callback(self.live.district.close)
        estimator = self.live.district.estimator
        self.parcels = estimator._parcels
        estimator._parcels = Elsewhere(self.parcels, moved=moved, bare=bare)
        self.live.grid()
        self.live.minute(MINUTES)
        url = closing.enter_context(served(self.live.app))
        self.http = closing.enter_context(httpx.Client(base_url=f"{url}/api/v1", timeout=PATIENCE_S))

    def count(self, shape):
        answer = self.http.post("/count", json={"polygon": mapping(PLANE.unproject(shape))})
        assert answer.status_code == 200, answer.text
        return {name: answer.json()[name] for name in ("occupancy", "low", "high", "hidden", "density_per_m2")}

    def get(self, path):
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Return the two districts, and the same two as they would be without parcels."""
    with ExitStack() as closing:
        yield [
            World(tmp_path_factory.mktemp("world"), closing, moved=moved, bare=bare)
            for bare in (False, True)
            for moved in (False, True)
        ]


@pytest.fixture(scope="module")
def doorway(worlds):
    """Return a cell (metres) that is no parcel by itself, and from which people were moved."""
    world = worlds[0]
    cells, district = world.live.district.cells, world.live.district
    persons = district.estimator._filter.persons(district._counting._state.present)
    target = np.abs(shuffled(world.parcels, persons) - persons).argmax()
    assert persons[target] < LEAST_PERSONS or cells.walkable_m2[target] < 400
    x, y, half = cells.x_m[target], cells.y_m[target], cells.size_m / 2
    return box(x - half, y - half, x + half, y + half)


def around(doorway, m):
    return box(*np.add(doorway.bounds, (-m, -m, m, m)))


def nearly_equal(world, doorway):
    return [world.count(around(doorway, m)) for m in np.linspace(60, 75, 12)]


def with_and_without(world, doorway):
    whole = around(doorway, 100)
    return world.count(whole), world.count(whole.difference(doorway))


def sliding(world, doorway):
    west, south, east, north = around(doorway, 60).bounds
    return [world.count(box(west + k, south, east + k, north)) for k in range(-40, 40, 5)]


def asked_again(world, doorway):
    return [world.count(around(doorway, 50)) for _ in range(5)]


def density_less_count(world, doorway):
    return world.get("/density").content, world.count(around(doorway, 80))


def standing(world, doorway):
    rings = (around(doorway, 60), around(doorway, 60).difference(doorway))
    for k, ring in enumerate(rings):
        polygon = mapping(PLANE.unproject(ring))
        made = world.http.post("/watches", json={"name": f"w{k}", "polygon": polygon}).json()
        assert made["estimate"] is None or made["name"] == f"w{k}"
    told = world.get("/watches").json()["watches"]
    return sorted((one["name"], str(one["estimate"])) for one in told)


def over_time(world, doorway):
    asked = [around(doorway, 60), around(doorway, 60).difference(doorway)]
    return [
        world.http.post("/count/curve", json={"polygon": mapping(PLANE.unproject(shape)), "minutes": 30}).json()
        for shape in asked
    ]


def reasons(world, doorway):
    asked = [around(doorway, 60), around(doorway, 60).difference(doorway)]
    return [
        world.http.post("/count", json={"polygon": mapping(PLANE.unproject(one)), "why": True}).json() for one in asked
    ]


def places_and_areas(world, _doorway):
    return world.get("/places").json(), world.get("/areas/street").json(), world.get("/areas/district").json()


def what_if(world, doorway):
    asked = [
        {"kind": "closure", "polygon": mapping(PLANE.unproject(around(doorway, m))), "minutes": 5} for m in (40, 50)
    ]
    return [world.http.post("/what-if", json=one).json() for one in asked]


def clearing(world, doorway):
    asked = [around(doorway, m) for m in (40, 50)]
    return [world.http.post("/clearance", json={"polygon": mapping(PLANE.unproject(one))}).json() for one in asked]


ATTACKS = (
    nearly_equal,
    with_and_without,
    sliding,
    asked_again,
    density_less_count,
    standing,
    over_time,
    reasons,
    places_and_areas,
    what_if,
    clearing,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_way_of_asking_tells_who_stands_where_within_a_parcel(worlds, doorway, attack):
    assert attack(worlds[0], doorway) == attack(worlds[1], doorway)


@pytest.mark.parametrize("attack", [density_less_count, over_time], ids=lambda attack: attack.__name__)
def test_the_same_attack_succeeds_where_cells_are_told_bare(worlds, doorway, attack):
    assert attack(worlds[2], doorway) != attack(worlds[3], doorway)


def learned(world):
    """Return the people by cell that fit a thousand answers best, before any rounding."""
    district = world.live.district
    cells, field = district.cells, district._counting.field
    rng = np.random.default_rng(2)
    corner, size = rng.uniform(-450, 250, (1000, 2)), rng.uniform(80, 250, (1000, 2))
    boxes = [box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corner, size, strict=True)]
    weights = np.zeros((1000, len(cells)))
    for k, (index, share) in enumerate(cells.shares_of(boxes)):
        weights[k, index] = share
    answers = district._counting.counter.means(field, boxes)
    told = np.isfinite(answers)
    assert told.mean() > 0.8
    return np.linalg.lstsq(weights[told], answers[told], rcond=None)[0]


def test_a_thousand_answers_solved_for_the_cells_are_the_same_whoever_stands_where(worlds):
    assert learned(worlds[0]) == pytest.approx(learned(worlds[1]), abs=1e-6)
    assert np.abs(learned(worlds[2]) - learned(worlds[3])).max() > 1
