from datetime import timedelta

import httpx
import numpy as np
import pytest
from shapely import box
from shapely.geometry import mapping
from tests.command.conftest import BEGIN, MINUTE, Live
from tests.small import PLANE, small_pack

from anlan.crowd import Cells
from anlan.store import DuckHistory, Step, kept_persons

QUAY = "quay"


def test_a_place_tells_its_next_hour_by_trend(live):
    place = live.district.pack.places[0].place_id
    made = live.http.get(f"/places/{place}/forecast").json()
    assert made["basis"] == "trend"
    assert len(made["points"]) == 4
    for point in made["points"]:
        assert point["low"] <= point["occupancy"] <= point["high"]
    assert made["days"] < 1


def test_a_polygon_tells_its_next_hour(live):
    polygon = live.district.pack.places[0].polygon.__geo_interface__
    made = live.http.post("/count/forecast", json={"polygon": polygon}).json()
    assert made["basis"] == "trend"
    assert [point["at"] for point in made["points"]] == sorted(point["at"] for point in made["points"])


def test_before_ten_minutes_nothing_is_told(tmp_path):
    begun = Live(tmp_path)
    begun.grid()
    begun.minute(3)
    try:
        made = begun.district.place_forecast(begun.district.pack.places[0].place_id)
        assert made.basis is None
        assert made.points == ()
    finally:
        begun.district.close()


def test_an_unknown_place_is_not_found(live):
    answer = live.http.get("/places/atlantis/forecast")
    assert answer.status_code == httpx.codes.NOT_FOUND


QUARTER = 15 * MINUTE


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    """A district of which nine days are kept: by day there are twice as many as at night, everywhere."""
    cells, folder = Cells.of(small_pack()), tmp_path_factory.mktemp("weeks")
    history = DuckHistory.open(folder)
    for k in range(9 * 96, 0, -1):
        at = BEGIN - k * QUARTER
        persons = cells.expected * level(at)
        kept = kept_persons(persons, np.ones(len(persons), bool))
        history.commit_step(Step(at=at, low=0, high=0, occupancy=kept, estimates={}, state=None))
    history.seal(BEGIN)
    history.close()
    made = Live(folder)
    made.grid()
    made.minute(12)
    yield made
    made.district.close()


def level(at):
    return 20.0 if (at.hour + 8) % 24 in range(8, 20) else 10.0


def test_a_polygon_of_which_weeks_are_kept_tells_its_next_day(weeks):
    shape = PLANE.unproject(box(0, -300, 300, 0))
    made = weeks.district.forecast(shape)
    assert made.basis == "usual"
    assert 8.9 < made.days < 9.1
    begin = BEGIN + QUARTER if weeks.clock.now() >= BEGIN + QUARTER else BEGIN
    assert [point.at - begin for point in made.points] == [
        timedelta(minutes=m) for m in (15, 30, 45, 60, 120, 180, 360, 720, 1440)
    ]
    index, share = weeks.district._counting.counter.shares(shape)
    usual = Cells.of(small_pack()).expected[index] @ share
    ahead = {point.at - begin: point for point in made.points}
    night, day = ahead[timedelta(hours=6)], ahead[timedelta(hours=24)]
    assert night.occupancy == pytest.approx(10 * usual, rel=0.1)
    assert day.occupancy == pytest.approx(20 * usual, rel=0.1)
    asked = weeks.district.forecast(mapping(shape))
    assert asked == made


def test_a_polygon_has_its_part_of_a_place(weeks):
    counting, quay = weeks.district._counting, weeks.district.pack.places[0]
    name = f"place:{quay.place_id}"
    assert counting.part_of(quay.polygon, name) == pytest.approx(1.0)
    west, south, east, north = quay.polygon.bounds
    halves = [box(west, south, (west + east) / 2, north), box((west + east) / 2, south, east, north)]
    parts = [counting.part_of(half, name) for half in halves]
    assert sum(parts) == pytest.approx(1.0, abs=0.02)
    assert min(parts) > 0.2
    assert counting.part_of(quay.polygon, "place:gone") == 0.0
