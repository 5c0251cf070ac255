"""A city that others published: read as it is, and simulated as the hypercube of the same city says."""

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from anlan.response.simulate import Carrying, Fleet, Incidents, figure, simulate

FOLDER = Path(os.environ.get("ANLAN_DATA", "../shared/data")) / "jemss_manhattan"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the published city is not at {FOLDER}")


@pytest.fixture(scope="module")
def reader():
    """The bench's module, which reads the city."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
    yield importlib.import_module("response_manhattan")
    sys.path.pop(0)


@pytest.fixture(scope="module")
def city(reader):
    return reader.manhattan(FOLDER, most=250)


def test_the_city_is_read_as_published(city):
    assert np.bincount(city.home).tolist() == [2, 1, 1, 2, 2, 2, 2]  # seven of eight stations have ambulances
    assert len(city.hospitals) == 10
    assert city.people.min() >= 0
    assert 600 < city.roads.times_s[city.posts[0], city.posts[4]] < 2400  # from Pier 36 to 172nd Street, with siren


def test_its_simulation_agrees_with_its_hypercube(city, reader):
    checks = list(reader.agreements(city, 60_000))
    assert len(checks) == 13
    for name, exact, parts in checks:
        made = figure(parts, 1 - 0.001 / len(checks))
        assert made.low <= exact <= made.high, name
        assert made.high - made.low < 0.2 * exact  # an interval that says something


def test_ambulances_come_free_at_its_hospitals(city):
    draw = np.random.default_rng(1)
    told = Incidents.drawn(draw, per_hour=18.8, weight=city.people, days=5)
    taken = told.carried(draw, city.roads, Carrying(hospitals=city.hospitals, handover_s=240))
    run = simulate(city.roads, Fleet(posts=city.posts, home=city.home), taken)
    again = run.origin[run.wait_s[run.incident] > 0]  # whoever waited is served by one that has just come free
    assert len(again) > 0
    assert set(again) <= set(city.hospitals)
