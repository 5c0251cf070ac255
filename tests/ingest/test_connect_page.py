"""The page tells devices how to speak; what it shows is sent here to a real broker."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ingest.conftest import DEVICES
from tests.waiting import PATIENCE_S

from anlan.ingest import Door, EmbeddedBroker, decode
from anlan.ingest.weather import weather_from
from anlan.kernel.clock import SystemClock

PAGE = (Path(__file__).parents[2] / "docs" / "connect.md").read_text()


def fences(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def there(loop, history):
    door = Door([replace(DEVICES[0], device_id="people-park-gate-1")], history, SystemClock())
    broker = EmbeddedBroker("127.0.0.1", 0, door)
    loop.run(broker.start())
    yield broker
    loop.run(broker.close())
    door.close()


def test_the_python_example_is_committed(there, history, capsys):
    [script] = fences("python")
    exec(compile(script.replace("1883", str(there.port)), "connect.md", "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "committed\n"
    [one], _ = history.arrived(0)
    assert (one.device_id, one.n_in, one.n_out) == ("people-park-gate-1", 5, 3)


@pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="install Debian's package mosquitto-clients")
def test_the_mosquitto_example_is_committed(there, history):
    [script] = [one for one in fences("sh") if "mosquitto_pub" in one]
    subprocess.run(["bash", "-euc", script.replace("1883", str(there.port))], check=True, timeout=PATIENCE_S)  # noqa: S603, S607
    [one], _ = history.arrived(0)
    assert (one.device_id, one.n_in, one.n_out) == ("people-park-gate-1", 5, 3)


def test_the_bodies_that_it_shows_are_of_the_wire_form():
    bodies = [re.search(r"-d '(.*)'", one, re.DOTALL)[1].encode() for one in fences("sh") if "curl" in one]
    body, weather = bodies
    assert [(one.rain_mm, one.is_foreseen) for one in weather_from(weather)] == [(1.2, True)]
    [shown] = [one for one in fences("json") if '"device"' in one]
    for raw, n in ((body, 2), (shown.encode(), 1)):
        taken, refusals = decode(raw)
        assert (len(taken), refusals) == (n, [])


def test_the_forms_in_its_table_are_those_of_the_wire():
    forms = re.findall(r"`(\{\"(?:in|passed|present|counts)\".*?\})`", PAGE)
    assert len(forms) == 4
    whole = json.loads(next(one for one in fences("json") if '"device"' in one))
    for form in forms:
        assert decode(json.dumps({**whole, "values": json.loads(form)}).encode())[1] == []
