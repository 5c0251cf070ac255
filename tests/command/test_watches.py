"""Polygons that are counted every minute: saved, listed, ended, and never in the way of the district."""

import numpy as np
import pytest
from tests.command.conftest import Live
from tests.command.test_api import QUAY, refused, strict
from tests.small import small_pack

from anlan.district import District
from anlan.kernel.records import Draft


def test_a_watch_is_saved_counted_and_ended(live, http):
    made = strict(http.post("/watches", json={"name": "前排 Front", "polygon": QUAY}))
    live.minute()
    listed = {watch["id"]: watch for watch in strict(http.get("/watches"))["watches"]}
    assert listed[made["id"]]["name"] == "前排 Front"
    assert listed[made["id"]]["estimate"]["occupancy"] > 0
    assert listed[made["id"]]["polygon"]["type"] == "Polygon"
    refused(http.delete(f"/watches/{made['id']}", params={"version": made["version"] + 1}), 409, "conflict")
    refused(http.delete(f"/watches/{made['id']}"), 422, "bad_input")
    ended = strict(http.delete(f"/watches/{made['id']}", params={"version": made["version"]}))
    assert (ended["action"], ended["body"]) == ("unwatch", None)
    assert made["id"] not in {watch["id"] for watch in strict(http.get("/watches"))["watches"]}
    refused(http.delete(f"/watches/{made['id']}", params={"version": 1}), 404, "not_found")


NOTCHED = {  # whose notch all but meets the opposite side: to the centimetre it does
    "type": "Polygon",
    "coordinates": [
        [
            [121.4806, 31.216], [121.482, 31.216], [121.482, 31.218],
            [121.481, 31.21600001], [121.4806, 31.218], [121.4806, 31.216],
        ]
    ],
}  # fmt: skip


def test_a_watch_that_would_not_be_read_again_is_not_written(http):
    strict(http.post("/count", json={"polygon": NOTCHED}))
    n_changes = len(strict(http.get("/changes"))["changes"])
    told = refused(http.post("/watches", json={"name": "notch", "polygon": NOTCHED}), 422, "bad_input")
    assert "must not cross itself" in told["rule"]
    assert len(strict(http.get("/changes"))["changes"]) == n_changes


def test_a_watch_that_cannot_be_read_does_not_keep_the_district_closed(tmp_path):
    held = Live(tmp_path)
    held.district.watch("front", QUAY, "desk")
    body = {"name": "notch", "polygon": NOTCHED | {"coordinates": np.round(NOTCHED["coordinates"], 7).tolist()}}
    draft = Draft(kind="watch", record_id="notch", action="watch", actor="desk", body=body)
    held.district.store.apply([draft], at=held.clock.now())
    held.district.close()
    again = District.open(small_pack(), tmp_path, clock=held.clock)
    assert [one.name for one in again.watches()] == ["front"]
    again.close()


@pytest.mark.parametrize("name", ["", "   ", "x" * 100, 5])
def test_a_watch_needs_a_name(http, name):
    refused(http.post("/watches", json={"name": name, "polygon": QUAY}), 422, "bad_input")
