"""Crews go where they are told along the streets, at a pace of their own, and say so as a unit's terminal would."""

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from shapely.geometry import LineString, Point
from tests.small import PLANE, town_pack

from anlan.twin.crews import Crews, Order

BEGIN = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)


def at(x, y):
    point = PLANE.unproject(Point(x, y))
    return point.x, point.y


def followed(kind="vehicle", seed=1, every=5):
    """Follow one crew from the order to its return; return its steps with their seconds, and its positions."""
    crews = Crews(town_pack(), np.random.default_rng(seed))
    status, incident, spot = "dispatched", "i", at(-400, 0)
    steps, ways = [], []
    for k in range(1, 600):
        now = BEGIN + timedelta(seconds=every * k)
        towards = at(300, 200) if incident else at(-400, 0)
        order = Order(unit_id="v", kind=kind, status=status, incident_id=incident, towards=towards, here=spot)
        for said in crews.advance(now, [order]):
            if said.position:
                spot = said.position
                ways.append(PLANE.project(Point(spot)))
            else:
                status = said.status
                incident = None if status in {"returning", "available"} else incident
                steps.append((status, (said.at - BEGIN).total_seconds(), said.outcome))
        if status == "available":
            break
    return steps, ways


def test_a_crew_takes_every_step_in_order_and_comes_home():
    steps, ways = followed()
    assert [status for status, *_ in steps] == ["en_route", "on_scene", "returning", "available"]
    times = [s for _, s, _ in steps]
    assert times == sorted(times)
    assert steps[2][2] in {"resolved", "handed_over", "nothing_found"}
    assert ways[-1].distance(Point(-400, 0)) < 1


def test_it_keeps_to_the_streets_and_to_a_pace_that_can_be():
    _, ways = followed()
    streets = [PLANE.project(street.line) for street in town_pack().streets]
    assert max(min(street.distance(point) for street in streets) for point in ways) < 1
    gone = [a.distance(b) for a, b in itertools.pairwise(ways)]
    assert max(gone) < 5 * 120 / 3.6


@pytest.mark.parametrize("kind", ["vehicle", "foot"])
def test_two_trips_differ_and_one_seed_gives_the_same(kind):
    first, second, again = (followed(kind, seed)[0][1][1] for seed in (1, 2, 1))
    assert first == again != second


def test_on_foot_is_slower():
    assert followed("foot")[0][1][1] > followed("vehicle")[0][1][1]


def test_a_crew_that_is_sent_elsewhere_on_its_way_goes_there():
    crews = Crews(town_pack(), np.random.default_rng(3))
    spot = at(-400, 0)
    for k in range(1, 200):
        towards, incident = (at(400, 0), "a") if k < 15 else (at(-400, 400), "b")
        order = Order(unit_id="v", kind="vehicle", status="en_route", incident_id=incident, towards=towards, here=spot)
        said = crews.advance(BEGIN + timedelta(seconds=5 * k), [order])
        spot = next((one.position for one in said if one.position), spot)
        if any(one.status == "on_scene" for one in said):
            break
    assert PLANE.project(Point(spot)).distance(PLANE.project(LineString([at(-400, 400), at(-399, 400)]))) < 2
