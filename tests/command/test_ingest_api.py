"""A vendor's message comes in by HTTP under the topic that it would have by MQTT."""

from datetime import timedelta

import httpx
import pytest
from tests.command.conftest import BEGIN, served
from tests.small import small_pack

from anlan.command import create_app
from anlan.district import District
from anlan.ingest import adapters_of
from anlan.kernel.clock import FollowedClock

XOVIS = '{"time": "%s", "counts": [{"id": 1, "value": %d}, {"id": 2, "value": %d}]}'
DEVICE = {"format": "xovis", "device": "garden-1", "source": "00:80:1f", "counters": {"1": "in", "2": "out"}}


@pytest.fixture
def district(tmp_path):
    opened = District.open(small_pack(), tmp_path, clock=FollowedClock(BEGIN))
    opened.door.adapters = adapters_of({"device": [DEVICE]})
    yield opened
    opened.close()


def test_totals_of_a_vendor_are_the_people_of_the_window(district):
    with served(create_app(district)) as url, httpx.Client(base_url=url) as asking:
        first = XOVIS % ((BEGIN - timedelta(minutes=1)).isoformat(), 40, 9)
        assert asking.post("/api/v1/ingest/xovis/00:80:1f", content=first).json()["accepted"] == 0
        second = XOVIS % (BEGIN.isoformat(), 45, 12)
        for accepted, doubled in ((1, 0), (0, 1)):
            told = asking.post("/api/v1/ingest/xovis/00:80:1f", content=second).json()
            assert (told["accepted"], told["duplicate"], told["refused"]) == (accepted, doubled, [])
    [seen], _ = district.history.arrived(0)
    assert (seen.device_id, seen.n_in, seen.n_out) == ("garden-1", 5, 3)


def test_a_format_that_is_not_wired_is_refused_and_counted(district):
    with served(create_app(district)) as url, httpx.Client(base_url=url) as asking:
        [refused] = asking.post("/api/v1/ingest/morse/1", content="... --- ...").json()["refused"]
        assert refused["code"] == "malformed"
        assert "..." not in refused["message"]
