import httpx
from tests.command.conftest import Live

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
