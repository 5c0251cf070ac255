"""Positions by MQTT come through the very door that counts do, and are judged as those by HTTP."""

import json

import pytest
from tests.command.conftest import BEGIN
from tests.command.test_reach_api import Town, at

from anlan.kernel.errors import BadInput
from anlan.reach.wire import position_from


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    yield made
    made.district.close()


def body(x, y, **more):
    lon, lat = at(x, y)
    return json.dumps({"at": BEGIN.isoformat(), "lon": lon, "lat": lat, **more}).encode()


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("anlan/units/v1/where", body(0, 0)),
        ("anlan/units/v1/position/x", body(0, 0)),
        ("anlan/units/v1/position", b"no json"),
        ("anlan/units/v1/position", b"\xff\xfe"),
        ("anlan/units/v1/position", body(0, 0, driver="A")),
        ("anlan/units/v1/position", b'{"at": "noon", "lon": 121.0, "lat": 31.0}'),
    ],
)
def test_whatever_is_not_exactly_a_position_is_refused(topic, payload):
    with pytest.raises(BadInput):
        position_from(topic, payload)


def test_the_door_hands_a_position_on_and_tells_what_it_refuses(town):
    good = town.district.door.receive("anlan/units/v1/position", body(-300, 0)).result()
    assert (good.n_accepted, good.refusals) == (1, ())
    assert town.district.reach.unit("v1").lon == pytest.approx(at(-300, 0)[0])
    for topic, payload in (("anlan/units/ghost/position", body(0, 0)), ("anlan/units/v1/position", body(0, 50_000))):
        told = town.district.door.receive(topic, payload).result()
        assert (told.n_accepted, len(told.refusals)) == (0, 1)
    assert town.district.reach.unit("v1").lon == pytest.approx(at(-300, 0)[0])
