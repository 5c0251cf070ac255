"""Weather comes in whole or not at all, is told as it is known, and makes served forecasts better where it matters."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from tests.outlook.test_trees import DAY, NAMES, NOW, PACK, QUARTER, TREES, estimate, people

from anlan.crowd.forecast import boosting_installed
from anlan.kernel.clock import FollowedClock
from anlan.kernel.errors import BadInput
from anlan.kernel.weather import WeatherHour
from anlan.outlook import Outlooks, WeatherBook
from anlan.outlook.trees import Trees
from anlan.store import DuckHistory, columns

HOUR = timedelta(hours=1)
WEEKS = 11


def message(*hours, **more):
    return json.dumps(
        {"hours": [dict(zip(("time", "rain_mm", "temperature_c"), one, strict=False)) for one in hours]} | more
    )


@pytest.fixture
def book(tmp_path):
    clock, heard = FollowedClock(datetime(2026, 12, 31, 10, 20, tzinfo=UTC)), []
    history = DuckHistory.open(tmp_path)
    made = WeatherBook(history, clock, heard.append)
    made.clock, made.heard, made.history = clock, heard, history
    yield made
    history.close()


def take(book, *hours, **more):
    return book.take(message(*hours, **more).encode())


def test_what_was_measured_last_and_what_is_foreseen_are_told(book):
    take(book, ("2026-12-31T17:00:00+08:00", 0.2, 6.1), ("2026-12-31T16:00:00+08:00", 1.0, 6.4))
    made = take(
        book, ("2026-12-31T18:00:00+08:00", 0, 6), ("2026-12-31T20:00:00+08:00", 3), issued_at="2026-12-31T07:00:00Z"
    )
    assert (made.n_measured, made.n_foreseen) == (0, 2)
    now = book.now()
    assert (now.measured.begin_at.hour, now.measured.rain_mm, now.measured.temperature_c) == (9, 0.2, 6.1)
    assert [(one.begin_at.hour, one.rain_mm, one.temperature_c) for one in now.ahead[:4]] == [
        (10, 0.0, 6.0), (11, None, None), (12, 3.0, None), (13, None, None)
    ]  # fmt: skip
    assert len(now.ahead) == 12
    assert book.heard[-1] == now


@pytest.mark.parametrize(
    ("time", "issued_at"),
    [
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:00:00-14:00", None),
        ("2026-12-31T18:00:00+08:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_moment_off_the_calendar_is_refused(book, time, issued_at):
    with pytest.raises(BadInput, match="must be of moments of this age"):
        take(book, (time, 1.0), issued_at=issued_at)


def test_what_is_old_is_unknown_again(book):
    take(book, ("2026-12-31T09:00:00Z", 0.2, 6.1))
    take(book, ("2027-01-01T11:00:00Z", 0.2, 6.1), issued_at="2026-12-31T10:00:00Z")
    book.clock.set(datetime(2026, 12, 31, 11, 59, tzinfo=UTC))
    assert book.now().measured.begin_at.hour == 9
    book.clock.set(datetime(2026, 12, 31, 12, 0, tzinfo=UTC))
    assert book.now().measured is None
    book.clock.set(datetime(2027, 1, 1, 9, 59, tzinfo=UTC))
    assert book.now().ahead[2].rain_mm == 0.2
    book.clock.set(datetime(2027, 1, 1, 10, 0, tzinfo=UTC))
    assert book.now().ahead[1].rain_mm is None


def test_it_is_there_after_a_restart(book, tmp_path):
    take(book, ("2026-12-31T09:00:00Z", 0.2, 6.1))
    before = book.now()
    book.history.close()
    history = DuckHistory.open(tmp_path)
    assert WeatherBook(history, book.clock, lambda _: None).now() == before
    history.close()


@pytest.mark.parametrize(
    ("hours", "more", "told"),
    [
        ([("2026-12-31T09:00:00Z", -1, 5)], {}, r"hours\[1\].rain_mm=-1 must be 0 to 300 mm in an hour; leave out"),
        ([("2026-12-31T09:00:00Z", 301, 5)], {}, r"rain_mm=301 must be 0 to 300"),
        ([("2026-12-31T09:00:00Z", 0, 61)], {}, r"temperature_c=61 must be -60 to 60 °C"),
        ([("2026-12-31T09:00:00Z", None, None)], {}, "must come with rain_mm or temperature_c"),
        ([("2026-12-31T09:30:00Z", 0, 5)], {}, "must be a full hour of UTC; give the beginning"),
        ([("2026-12-31T09:00:00", 0, 5)], {}, r"hours\[1\].time must be of the wire form .*write it like"),
        ([("2026-12-31T08:00:00Z", 2.0, 5)], {}, r"hours\[1\].time=.* must not come twice with other values"),
        ([("2026-12-31T10:00:00Z", 0, 5)], {}, "must be over when it is measured .*give issued_at"),
        ([("2025-11-20T10:00:00Z", 0, 5)], {}, "must not be before 2025-11-26.*leave out what is not kept"),
        ([("2026-12-31T12:00:00Z", 0, 5)], {"issued_at": "2026-12-31T11:00:00Z"}, "ahead of the district's clock"),
        ([("2026-12-31T07:00:00Z", 0, 5)], {"issued_at": "2026-12-31T08:00:00Z"}, "must not be over when its forecast"),
        ([("2027-01-10T09:00:00Z", 0, 5)], {"issued_at": "2026-12-31T08:00:00Z"}, "must be 240 hours at most after"),
        ([("2026-12-31T09:00:00Z", "wet", 5)], {}, r"hours\[1\].rain_mm must be of the wire form .*send mm"),
        ([("2026-12-31T09:00:00Z", 0, 5)], {"device": "x"}, "the weather must be of the wire form .*no other field"),
    ],
)  # fmt: skip
def test_bad_weather_is_refused_and_nothing_of_the_message_is_kept(book, hours, more, told):
    good = ("2026-12-31T11:00:00Z" if "issued_at" in more else "2026-12-31T08:00:00Z", 0.0, 5.0)
    with pytest.raises(BadInput, match=told):
        take(book, good, *hours, **more)
    assert (
        len(book.history.weather(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC), NOW + 999 * DAY))
        == 0
    )
    assert book.heard == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"hours": []}', b"\xff", b'{"hours": [1]}', b"[" * 9999])
def test_what_is_no_message_is_refused(book, body):
    with pytest.raises(BadInput, match="must be of the wire form"):
        book.take(body)


# -- what it is worth ----------------------------------------------------------------------------------------------


def rains():
    """Return the hours of eleven weeks and a day more, and whether it rains: three hours at a time, a sixth of all."""
    rng = np.random.default_rng(7)
    hours = [NOW - timedelta(weeks=WEEKS) + k * HOUR for k in range(WEEKS * 168 + 24)]
    return hours, np.repeat(rng.random(len(hours) // 3 + 1) < 1 / 6, 3)[: len(hours)]


def fill(history, *, weather):
    """Keep eleven weeks in which rain takes two thirds of the people away, as forecasts three hours before had it."""
    (hours, wet), rng, rows = rains(), np.random.default_rng(5), []
    for k in range(WEEKS * 7 * 96, 0, -1):
        at = NOW - k * QUARTER + timedelta(minutes=8)
        left = 1 / 3 if wet[(at - hours[0]) // HOUR] else 1.0
        many = left * people(at, np.arange(1, 4)) * np.exp(rng.normal(0, 0.05, 3))
        rows.append(columns.estimate_table(at, {n: estimate(at, float(m)) for n, m in zip(NAMES, many, strict=True)}))
    with history._writing() as write:
        write.register("incoming", pa.concat_tables(rows).combine_chunks())
        write.execute("INSERT INTO estimate SELECT * FROM incoming")
        write.unregister("incoming")
    if weather:
        rain = [4.0 * bool(one) for one in wet]
        told = [WeatherHour(begin_at=at, rain_mm=mm) for at, mm in zip(hours, rain, strict=True) if at < NOW]
        told += [
            WeatherHour(begin_at=at, rain_mm=mm, issued_at=at - lead * HOUR)
            for at, mm in zip(hours, rain, strict=True)
            for lead in (3, 24)
        ]
        history.accept_weather([one for one in told if (one.issued_at or NOW) <= NOW], received_at=NOW + 2 * DAY)


@pytest.fixture(scope="module")
def districts(tmp_path_factory):
    """Two districts that counted the same: one was told the weather, and one was not."""
    made = {}
    for name in ("told", "blind"):
        history = DuckHistory.open(tmp_path_factory.mktemp(name))
        fill(history, weather=name == "told")
        made[name] = held = Outlooks(PACK, history, history.folder)
        if boosting_installed():
            held.trees.n_rounds = 60
            held.tend(NOW)
            held.trees.wait(900)
    yield made
    for held in made.values():
        held.close()
        held._history.close()


def turns():
    """Return moments of the two weeks that no tree learned from, half an hour before rain begins or ends."""
    hours, wet = rains()
    return [
        hours[k] - HOUR / 2 for k in range(1, len(hours)) if wet[k] != wet[k - 1] and NOW - 13 * DAY < hours[k] < NOW
    ][:12]


@TREES
def test_rain_that_is_foreseen_makes_served_forecasts_better(districts):
    (hours, wet), errors = rains(), {}
    for name, held in districts.items():
        served = Trees(PACK, held._history, held._history.folder)
        off = []
        for at in turns():
            found = served.ahead(at, ())
            for k, place in enumerate(NAMES):
                point = found[place].points[3]  # the last quarter of the next hour
                assert found[place].by_weather == (name == "told")
                left = 1 / 3 if wet[(point.at - QUARTER / 2 - hours[0]) // HOUR] else 1.0
                off.append(abs(np.log(point.occupancy / (left * people(point.at - QUARTER / 2, k + 1)))))
        errors[name] = np.mean(off)
    assert errors["told"] < 0.5 * errors["blind"], errors


@TREES
def test_a_forecast_says_that_it_rests_on_the_weather_only_where_it_does(districts):
    (hours, wet), size = rains(), 2
    left = 1 / 3 if wet[(NOW - HOUR / 2 - hours[0]) // HOUR] else 1.0
    present = estimate(NOW, float(left * people(NOW, size)))
    assert districts["told"].subject(NAMES[1], present).by_weather
    assert not districts["blind"].subject(NAMES[1], present).by_weather


@TREES
def test_weather_that_is_told_later_changes_nothing_of_what_was_told(districts):
    held, at = districts["told"], turns()[0]
    before = Trees(PACK, held._history, held._history.folder).ahead(at, ())
    later = [
        WeatherHour(begin_at=at.replace(minute=0) + k * HOUR, rain_mm=250.0, issued_at=at + timedelta(minutes=1))
        for k in range(24)
    ]
    held._history.accept_weather(later, received_at=at + timedelta(minutes=1))
    assert Trees(PACK, held._history, held._history.folder).ahead(at, ()) == before
