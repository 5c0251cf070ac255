"""Every route, what it answers and how it refuses."""

import json
import re
from datetime import timedelta

import numpy as np
import pytest
from tests.command.conftest import MINUTE
from tests.small import line, ring, square

from anlan.command.api import forms
from anlan.kernel.clock import parse_moment
from anlan.kernel.records import DeviceKind

QUAY = ring(square(100, -400, 80, 600))
LAYERS = ("boundary", "water", "green", "streets", "places", "devices", "gateways", "stations", "posts")


def strict(answer):
    """Return the JSON of an answer; NaN and infinity are no JSON."""

    def refuse(word):
        raise AssertionError(word)

    return json.loads(answer.text, parse_constant=refuse)


def refused(answer, status, code):
    """Return the three parts of an error, which must have the one form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    told = strict(answer)
    assert set(told) == {"error"}
    assert set(told["error"]) == {"code", "value", "rule", "next_step", "message", "zh"}
    assert set(told["error"]["zh"]) == {"value", "rule", "next_step"}
    assert told["error"]["code"] == code
    assert all(told["error"].values())
    return told["error"]


def moment(text):
    assert text.endswith("Z")
    return parse_moment(text)


# -- the district and its map ------------------------------------------------------------------------------------------


def test_the_district_tells_what_it_is_and_its_own_time(live, http):
    told = strict(http.get("/district"))
    assert told["name"] == {"zh": "小区", "en": "Small"}
    assert told["schematic"] is True
    assert told["simulated"] is False
    assert told["n_devices"] == 6
    assert told["n_areas"] == {"district": 1, "street": 2}
    assert moment(told["now"]) == live.clock.now()
    west, south, east, north = told["bounds"]
    assert west < told["centre"][0] < east
    assert south < told["centre"][1] < north
    nw, ne, se, sw = told["grid"]["corners"]
    assert nw[0] < ne[0]
    assert se[1] < ne[1]
    assert sw[0] == pytest.approx(nw[0], abs=1e-4)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_geojson_in_degrees(http, live, layer):
    told = strict(http.get(f"/map/{layer}"))
    assert told["type"] == "FeatureCollection"
    n = 1 if layer == "boundary" else len(getattr(live.district.pack, layer))
    assert len(told["features"]) == n > 0
    for feature in told["features"]:
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", json.dumps(feature["geometry"]["coordinates"]))]
        assert all(121.4 < lon < 121.5 for lon in numbers[::2])
        assert all(31.2 < lat < 31.3 for lat in numbers[1::2])


def test_a_layer_names_its_features_in_each_language(http):
    garden = strict(http.get("/map/places"))["features"][0]["properties"]
    assert (garden["id"], garden["name_zh"], garden["name_en"], garden["kind"]) == ("garden", "园", "Garden", "venue")


def test_the_areas_of_a_level_are_a_layer(http):
    told = strict(http.get("/map/areas/street"))
    assert [f["properties"]["id"] for f in told["features"]] == ["31-w", "31-e"]


@pytest.mark.parametrize("path", ["/map/places", "/map/areas/street", "/density"])
def test_what_a_screen_has_is_not_sent_again(http, path):
    first = http.get(path)
    again = http.get(path, headers={"if-none-match": first.headers["etag"]})
    assert first.status_code == 200
    assert (again.status_code, again.content) == (304, b"")


def test_layers_travel_packed(http):
    packed = http.get("/map/streets", headers={"accept-encoding": "gzip"})
    plain = http.get("/map/streets", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


@pytest.mark.parametrize("path", ["/map/nothing", "/map/areas/nothing", "/areas/nothing"])
def test_an_unknown_layer_or_level_tells_the_known_ones(http, path):
    assert "street" in refused(http.get(path), 404, "not_found")["rule"]


# -- how many people ---------------------------------------------------------------------------------------------------


def test_density_is_a_grid_of_small_numbers(live, http):
    answer = http.get("/density")
    grid = strict(http.get("/district"))["grid"]
    cells = np.frombuffer(answer.content, "<u2").reshape(grid["n_rows"], grid["n_columns"])
    assert moment(answer.headers["x-anlan-at"]) == live.district.estimated_at
    _, expected = live.district.density()
    assert np.array_equal(cells == 65535, np.isnan(expected))
    assert np.array_equal(cells == 65534, np.isinf(expected))
    known = np.isfinite(expected)
    assert known.any()
    assert np.allclose(cells[known] / 1000, np.minimum(expected[known], 65), atol=0.0006)


def test_density_of_the_past_is_that_of_its_minute(live, http):
    at = live.district.estimated_at - 3 * MINUTE
    answer = http.get("/density", params={"at": at.isoformat()})
    assert moment(answer.headers["x-anlan-at"]) == at


def test_density_where_nothing_was_kept_is_all_unknown(http):
    answer = http.get("/density", params={"at": "2020-01-01T00:00:00Z"})
    assert set(np.frombuffer(answer.content, "<u2").tolist()) <= {65534, 65535}


def test_two_moments_with_as_many_unknown_cells_have_two_fingerprints(live, http):
    tags = {
        http.get("/density", params={"at": (live.district.estimated_at - k * MINUTE).isoformat()}).headers["etag"]
        for k in range(3)
    }
    assert len(tags) == 3


def test_places_come_with_capacity_and_estimate(http):
    told = {place["id"]: place for place in strict(http.get("/places"))["places"]}
    assert set(told) == {"garden", "quay", "kiosk"}
    quay = told["quay"]["estimate"]
    assert quay["low"] <= quay["occupancy"] <= quay["high"]
    assert quay["unknown"] is None
    assert told["quay"]["share_of_capacity"] == pytest.approx(quay["occupancy"] / 20_000, abs=1e-3)
    assert told["garden"]["capacity"] == 5000
    assert told["garden"]["thresholds"]["red_per_m2"] == 5.0


def test_a_place_too_small_to_be_counted_is_unknown_and_says_why(http):
    kiosk = strict(http.get("/places/kiosk"))["estimate"]
    assert (kiosk["occupancy"], kiosk["unknown"]) == (None, "too_small")


def test_a_places_curve_has_its_last_minutes(live, http):
    points = strict(http.get("/places/quay/curve", params={"minutes": 5}))["points"]
    assert len(points) == 5 - (live.clock.now() != live.district.estimated_at)
    assert all(p["low"] <= p["occupancy"] <= p["high"] for p in points)
    assert [p["at"] for p in points] == sorted(p["at"] for p in points)


@pytest.mark.parametrize(
    "path", ["/places/nowhere", "/places/nowhere/curve", "/devices/nothing", "/devices/nothing/curve"]
)
def test_an_unknown_name_is_told(http, path):
    refused(http.get(path), 404, "not_found")


def test_areas_of_a_level_come_with_their_parent(http):
    told = strict(http.get("/areas/street"))["areas"]
    assert [(a["id"], a["parent"], a["level"]) for a in told] == [("31-w", "31", "street"), ("31-e", "31", "street")]
    assert strict(http.get("/areas/street/31-e")) == told[1]


def test_an_area_asked_for_at_another_level_says_where_it_is(http):
    assert "street" in refused(http.get("/areas/district/31-e"), 404, "not_found")["rule"]


def test_a_polygon_is_counted_as_the_district_counts_it(live, http):
    told = strict(http.post("/count", json={"polygon": QUAY}))
    made = live.district.count(QUAY)
    assert told["occupancy"] == pytest.approx(made.occupancy, abs=0.6)
    assert told["walkable_m2"] == pytest.approx(made.walkable_m2, abs=1)
    assert told["level"] == 0.9
    assert told["level_of_service"] == made.level_of_service


def test_a_polygon_with_a_hole_holds_fewer(http):
    hole = ring(square(120, -300, 40, 300))["coordinates"][0]
    holed = {"type": "Polygon", "coordinates": [*QUAY["coordinates"], hole]}
    both = {
        "type": "MultiPolygon",
        "coordinates": [holed["coordinates"], [ring(square(121, -299, 38, 298))["coordinates"][0]]],
    }
    n_all, n_holed, n_both = (
        strict(http.post("/count", json={"polygon": p}))["occupancy"] for p in (QUAY, holed, both)
    )
    assert n_holed < n_all
    assert n_both == pytest.approx(n_all, rel=0.05)


def test_a_polygon_is_counted_at_a_moment_of_the_past(live, http):
    at = live.district.estimated_at - 5 * MINUTE
    told = strict(http.post("/count", json={"polygon": QUAY, "at": at.isoformat()}))
    assert moment(told["at"]) <= at
    assert told["occupancy"] > 0


def test_a_moment_without_estimates_is_unknown(http):
    told = strict(http.post("/count", json={"polygon": QUAY, "at": "2020-01-01T00:00:00+08:00"}))
    assert (told["occupancy"], told["unknown"]) == (None, "not_started")


def test_a_polygons_curve_has_its_last_minutes(http):
    points = strict(http.post("/count/curve", json={"polygon": QUAY, "minutes": 10}))["points"]
    assert len(points) >= 9
    assert all(p["occupancy"] > 0 for p in points)


SWAPPED = {"type": "Polygon", "coordinates": [[point[::-1] for point in QUAY["coordinates"][0]]]}
LINE = {"type": "LineString", "coordinates": QUAY["coordinates"][0]}
BOW = {
    "type": "Polygon",
    "coordinates": [[[121.48, 31.22], [121.49, 31.23], [121.49, 31.22], [121.48, 31.23], [121.48, 31.22]]],
}
FAR = {"type": "Polygon", "coordinates": [[[x + 1, y] for x, y in QUAY["coordinates"][0]]]}


@pytest.mark.parametrize(
    ("polygon", "hint"),
    [
        pytest.param(SWAPPED, "swap", id="latitude first"),
        pytest.param(LINE, "LineString", id="a line"),
        pytest.param(BOW, "cross", id="crossing itself"),
        pytest.param(FAR, "inside the outline", id="elsewhere"),
        pytest.param({}, "GeoJSON", id="nothing"),
        pytest.param({"type": "Polygon", "coordinates": [[[121.48, 31.22]]]}, "GeoJSON", id="a point"),
        pytest.param("x", "polygon", id="a word"),
        pytest.param(None, "polygon", id="null"),
    ],
)
@pytest.mark.parametrize("path", ["/count", "/count/curve", "/watches"])
def test_a_wrong_polygon_is_refused_with_what_to_do(http, path, polygon, hint):
    told = refused(
        http.post(path, json={"polygon": polygon, **({"name": "a"} if path == "/watches" else {})}), 422, "bad_input"
    )
    assert hint.lower() in told["message"].lower()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'"x"',
        b'{"polygon": NaN}',
        b'{"polygon": {"type": "Polygon", "coordinates": [[[NaN, 1]]]}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_question_is_refused(http, body):
    answer = http.post("/count", content=body, headers={"content-type": "application/json"})
    refused(answer, answer.status_code, "bad_input")
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("at", ["yesterday", "2026-12-31T18:00:00"])
def test_a_moment_that_is_none_is_refused(http, at):
    refused(http.post("/count", json={"polygon": QUAY, "at": at}), 422, "bad_input")
    refused(http.get("/density", params={"at": at}), 422, "bad_input")


@pytest.mark.parametrize("minutes", ["0", "-5", "1e9", "x"])
def test_a_span_outside_its_bounds_is_refused_with_the_value(http, minutes):
    told = refused(http.get("/places/quay/curve", params={"minutes": minutes}), 422, "bad_input")
    assert minutes in told["value"]


# -- devices and observations ------------------------------------------------------------------------------------------


def test_devices_tell_state_last_count_and_tally(http):
    told = {device["id"]: device for device in strict(http.get("/devices"))["devices"]}
    assert told["quay-1"]["state"] == "ok"
    assert told["quay-1"]["last"]["present"] == 90
    assert told["garden-1"]["last"] == {"in": 60, "out": 10, "passed": None, "present": None}
    assert told["garden-1"]["per_minute"] == 70
    assert told["sum-1"]["state"] == "never"
    assert told["garden-1"]["tally"]["accepted"] >= 12
    assert strict(http.get("/devices/quay-1")) == told["quay-1"]


def test_a_devices_curve_has_its_windows(http):
    points = strict(http.get("/devices/garden-1/curve", params={"minutes": 5}))["points"]
    assert 5 <= len(points) <= 6
    assert points[-1]["in"] == 60


def test_observations_are_committed_before_the_answer(live, http, wire):
    seen = live.seen("sum-1", length=timedelta(hours=1), n_passed=321)
    told = strict(http.post("/observations", content=wire(seen)))
    assert told == {"accepted": 1, "late": 0, "out_of_order": 0, "duplicate": 0, "refused": []}
    kept = live.district.device_curve("sum-1", seen.begin_at, seen.end_at)
    assert [one.n_passed for one in kept] == [321]
    again = strict(http.post("/observations", content=wire(seen)))
    assert (again["accepted"], again["duplicate"]) == (0, 1)


def test_each_faulty_observation_is_told_and_does_not_sink_the_others(live, http, wire):
    now = live.clock.now()
    good = live.seen("quay-1", now, n_present=7)
    body = json.loads(
        wire(
            good,
            live.seen("quay-1", now + timedelta(days=1)),
            live.seen("quay-1", now - timedelta(days=2)),
            live.seen("nobody", now),
            live.seen("quay-1", now, n_in=1, n_out=1),
            live.seen("quay-1", now, n_present=5),
            live.seen("quay-1", now - timedelta(hours=1), n_present=4),
        )
    )
    body["observations"][5]["values"] = {"present": -5}
    body["observations"].append({"device": "quay-1", "face": "x"})
    told = strict(http.post("/observations", json=body))
    codes = {refusal["index"]: refusal["code"] for refusal in told["refused"]}
    assert codes == {1: "future", 2: "too_old", 3: "unknown_device", 4: "wrong_kind", 5: "malformed", 7: "malformed"}
    assert (told["accepted"], told["late"]) == (2, 1)
    assert all(refusal["message"].endswith(".") for refusal in told["refused"])
    tally = strict(http.get("/devices/quay-1"))["tally"]
    assert tally["refused_by_code"]["future"] == 1


@pytest.mark.parametrize(
    "body", [b"", b"nothing", b"[]", b'{"observations": 3}', b'{"observations": [], "more": 1}', b"\xff"]
)
def test_a_body_without_observations_is_refused(http, body):
    refused(http.post("/observations", content=body), 422, "bad_input")


def test_a_withdrawn_device_says_so_until_it_is_restored(http):
    done = strict(http.post("/devices/walk-1/withdraw", json={"reason": "scaffold"}))
    assert (done["kind"], done["action"], done["body"]) == ("withdrawn_device", "withdraw", {"reason": "scaffold"})
    assert strict(http.get("/devices/walk-1"))["state"] == "withdrawn"
    refused(http.post("/devices/walk-1/withdraw", json={"reason": "again"}), 409, "conflict")
    assert strict(http.post("/devices/walk-1/restore"))["action"] == "restore"
    assert strict(http.get("/devices/walk-1"))["state"] != "withdrawn"
    refused(http.post("/devices/walk-1/restore"), 404, "not_found")


@pytest.mark.parametrize("body", [{"reason": " "}, {}, {"reason": 3}, {"reason": "x" * 501}])
def test_a_device_is_not_withdrawn_without_a_reason(http, body):
    refused(http.post("/devices/walk-1/withdraw", json=body), 422, "bad_input")


def test_a_device_that_is_not_there_cannot_be_withdrawn(http):
    refused(http.post("/devices/nothing/withdraw", json={"reason": "x"}), 404, "not_found")


# -- the log -----------------------------------------------------------------------------------------------------------


def test_the_log_tells_every_change_behind_a_change_and_is_whole(http):
    http.post("/devices/garden-2/withdraw", json={"reason": "test"})
    http.post("/devices/garden-2/restore")
    everything = strict(http.get("/changes"))["changes"]
    assert [change["id"] for change in everything] == list(range(1, len(everything) + 1))
    behind = strict(http.get("/changes", params={"after": len(everything) - 1}))["changes"]
    assert behind == everything[-1:]
    assert behind[0]["actor"]
    assert strict(http.get("/audit")) == {"n_changes": len(everything), "ok": True, "broken_at": None, "fault": None}


# -- the whole ---------------------------------------------------------------------------------------------------------


def test_a_district_without_simulation_has_none(http):
    refused(http.get("/simulation"), 404, "not_found")
    refused(http.post("/simulation", json={"speed": 5}), 404, "not_found")


def test_an_address_or_method_that_does_not_exist_is_told_in_the_same_form(live, http):
    assert "/docs" in refused(http.get("/nothing"), 404, "not_found")["next_step"]
    refused(http.get(f"{live.url}/nothing.js"), 404, "not_found")
    refused(http.put("/places"), 405, "bad_input")


def test_what_breaks_inside_tells_nothing_of_the_inside(live, http, monkeypatch):
    def broken():
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(live.district, "places", broken)
    answer = http.get("/places")
    refused(answer, 500, "error")
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_a_number_that_is_none_never_reaches_json(live, http, monkeypatch):
    estimate = live.district.total()
    broken = type(estimate)(at=estimate.at, walkable_m2=1000.0, occupancy=float("nan"), sd=float("inf"))
    monkeypatch.setattr(live.district, "count", lambda *_: broken)
    told = strict(http.post("/count", json={"polygon": QUAY}))
    assert (told["occupancy"], told["sd"]) == (None, None)


def test_every_route_is_in_the_description_and_says_what_it_does(live, http):
    described = strict(http.get(f"{live.url}/openapi.json"))
    for path, verbs in described["paths"].items():
        for verb, told in verbs.items():
            assert told["summary"], (verb, path)
            assert len(told["description"]) > 10, (verb, path)
            refused = {"4XX"} if path.startswith("/api/") else {"400", "404"}  # Open311 names each of its errors
            assert refused & set(told["responses"]), (verb, path)
    assert {f"/api/v1{path}" for path in ("/count", "/density", "/live", "/observations", "/watches")} <= set(
        described["paths"]
    )


def test_the_answers_of_the_description_have_named_fields(live, http):
    described = strict(http.get(f"{live.url}/openapi.json"))
    estimate = described["components"]["schemas"]["Count"]["properties"]
    assert set(estimate) == set(strict(http.post("/count", json={"polygon": QUAY})))


def test_the_page_and_the_description_answer_even_where_nothing_was_built(live, http):
    for path in ("/", "/docs"):
        answer = http.get(live.url + path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
    assert http.get(f"{live.url}/api/v1/healthz").status_code == 200


def test_whoever_watches_over_the_server_may_ask_for_the_page_without_its_text(live, http):
    told = http.head(f"{live.url}/")
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["content-type"].startswith("text/html")


def test_why_is_told_where_it_is_asked_for_and_a_number_is_told(http):
    plain, asked = (strict(http.post("/count", json={"polygon": QUAY, "why": why})) for why in (False, True))
    assert plain["why"] is None
    assert (asked["why"] is None) == (asked["occupancy"] is None or asked["sd"] is None)
    if asked["why"] is not None:
        assert sum(asked["why"]["by_kind"].values()) == pytest.approx(1.0, abs=0.01)
        assert asked["why"]["usual"] is None  # nobody surveyed this district


# -- flow --------------------------------------------------------------------------------------------------------------


def across(x0, y0, x1, y1):
    return {"line": {"type": "LineString", "coordinates": [list(point) for point in line((x0, y0), (x1, y1)).coords]}}


def test_the_flow_over_a_counters_line_is_what_it_counts(http):
    told = strict(http.post("/flow", json=across(-15, 0, 15, 0)))
    assert told["devices"] == ["walk-1"]
    assert (told["per_minute"], told["in_per_minute"], told["out_per_minute"]) == (60, 30, 30)
    assert told["low"] < 60 < told["high"]
    assert told["counted_share"] == 1


def test_the_flow_over_a_bare_line_is_inferred_and_tells_no_direction(http):
    told = strict(http.post("/flow", json=across(-15, 200, 15, 200)))
    assert told["devices"] == []
    assert told["in_per_minute"] is None
    assert told["counted_share"] == 0
    assert told["high"] > 3 * told["low"]


@pytest.mark.parametrize(
    "wrong",
    [
        across(0, 0, 0.5, 0),
        across(0, 0, 7000, 0),
        {"line": QUAY},
        {"line": {"type": "LineString", "coordinates": [[1, 2]]}},
    ],
)
def test_no_line_is_refused(http, wrong):
    refused(http.post("/flow", json=wrong), 422, "bad_input")


# -- border ------------------------------------------------------------------------------------------------------------


def test_a_border_without_counters_is_unknown_and_not_zero(http):
    told = strict(http.get("/border"))
    assert told["people"]["lines"] == told["vehicles"]["lines"] == []
    assert told["people"]["in_per_minute"] is told["people"]["counted_in_per_minute"] is None


def test_devices_of_every_kind_fit_the_form():
    told = forms.Device.model_json_schema()["$defs"]["DeviceKind"]["enum"]
    assert set(told) == set(DeviceKind)
