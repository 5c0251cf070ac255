"""What-if over HTTP: what it answers and how it refuses."""

import pytest
from tests.command.test_api import refused, strict
from tests.small import ring, square


def test_a_closed_place_has_fewer_people_and_says_how_sure_that_is(http):
    told = strict(http.post("/what-if", json={"kind": "closure", "place": "garden", "minutes": 30}))
    garden = next(one for one in told["places"] if one["id"] == "garden")
    assert garden["under"]["mean"] < garden["without"]["mean"]
    assert garden["difference"]["low"] <= garden["difference"]["mean"] <= garden["difference"]["high"]
    assert told["cells"]
    assert all(abs(persons) >= 10 for _, _, persons, _ in told["cells"])
    assert told["n_members"] > 1


def test_the_same_minute_answers_the_same(http):
    ask = {"kind": "metering", "place": "garden", "per_minute": 10, "minutes": 10}
    assert strict(http.post("/what-if", json=ask)) == strict(http.post("/what-if", json=ask))


def test_clearing_the_district_takes_longer_for_all_than_for_half(http):
    told = strict(http.post("/clearance", json={}))
    assert 0 < told["half_s"] <= told["most_s"] <= told["all_s"]


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        ({"kind": "closure", "place": "nowhere"}, 404, "not_found"),
        ({"kind": "skip_stop", "gateway": "nowhere"}, 404, "not_found"),
        ({"kind": "metering", "place": "garden", "per_minute": -1}, 422, "bad_input"),
        ({"kind": "closure", "polygon": ring(square(9000, 9000, 100))}, 422, "bad_input"),
        ({"kind": "closure"}, 422, "bad_input"),
        ({"kind": "closure", "place": "garden", "polygon": ring(square(0, 0, 100))}, 422, "bad_input"),
        ({"kind": "closure", "place": "garden", "minutes": 1000}, 422, "bad_input"),
        ({"kind": "wall", "place": "garden"}, 422, "bad_input"),
    ],
)
def test_what_cannot_be_ordered_is_refused(http, ask, status, code):
    refused(http.post("/what-if", json=ask), status, code)


def test_who_stands_on_a_doorway_is_not_told_by_its_clearance_either(http):
    doorway = ring(square(-20, -20, 2))
    assert strict(http.post("/count", json={"polygon": doorway}))["unknown"] == "too_small"
    told = strict(http.post("/clearance", json={"polygon": doorway}))
    assert told["error"]["code"] == "no_data"
    assert "persons" not in told
