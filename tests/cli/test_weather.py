import json
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.command.conftest import served
from tests.small import small_pack

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock

HEAD = "time,rain_mm,temperature_c\n"


@pytest.fixture
def serving(tmp_path):
    clock = FollowedClock(datetime(2026, 12, 31, 10, 20, tzinfo=UTC))
    district = District.open(small_pack(), tmp_path / "data", clock=clock)
    with closing(district), served(create_app(district)) as url:
        yield SimpleNamespace(url=url, file=tmp_path / "weather.csv")


def test_a_file_is_handed_in_and_shown(serving, anlan):
    serving.file.write_text(f"{HEAD}2026-12-31 16:00,0.5,6.8\n2026-12-31 17:00,0,6.1\n2026-12-31 15:00,,\n")
    status, out, _ = anlan("weather", serving.file, "--zone", "Asia/Shanghai", "--url", serving.url, "--lang", "en")
    assert (status, out.strip()) == (0, "taken: 2 hours measured, 0 foreseen")
    serving.file.write_text(f"{HEAD}2026-12-31T20:00:00+08:00,3.5,\n")
    ask = ("weather", serving.file, "--issued-at", "2026-12-31T18:00:00+08:00", "--url", serving.url)
    assert anlan(*ask)[1].strip() == "已收：实测 0 小时，预报 1 小时"
    out = anlan("weather", "--url", serving.url, "--lang", "en")[1]
    assert [line.split() for line in out.splitlines()[1:4]] == [
        ["12-31", "17:00", "measured", "0.0", "6.1"],
        ["12-31", "18:00", "foreseen", "unknown", "unknown"],
        ["12-31", "19:00", "foreseen", "unknown", "unknown"],
    ]
    assert ["12-31", "20:00", "foreseen", "3.5", "unknown"] in [line.split() for line in out.splitlines()]
    assert json.loads(anlan("weather", "--url", serving.url, "--json")[1])["measured"]["temperature_c"] == 6.1


def test_a_file_may_hold_many_forecasts(serving, anlan):
    rows = [f"2026-12-31T1{k}:00:00Z,1.0,5,2026-12-31T0{issued}:00:00Z" for k in range(4) for issued in (6, 9)]
    serving.file.write_text(HEAD.replace("\n", ",issued_at\n") + "\n".join(rows))
    assert json.loads(anlan("weather", serving.file, "--url", serving.url, "--json")[1]) == {
        "measured": 0,
        "foreseen": 8,
    }


def test_where_nothing_is_known_it_says_so(serving, anlan):
    assert "天气未知" in anlan("weather", "--url", serving.url)[1]
    assert "the weather is unknown" in anlan("weather", "--url", serving.url, "--lang", "en")[1]


@pytest.mark.parametrize(
    ("rows", "more", "told"),
    [
        ("2026-12-31 17:00,0,6\n", (), "row 2: time=2026-12-31T17:00:00 must carry a time zone"),
        ("2026-12-31T09:00:00Z,wet,6\n", (), "row 2: rain_mm='wet' must be a number"),
        ("2026-12-31T08:00:00Z,1,6\n2026-12-31T09:00:00Z,-1,6\n", (), "row 3: rain_mm=-1 must be 0 to 300 mm"),
        ("2026-12-31T09:00:00Z,nan,6\n", (), "row 2: rain_mm=nan must be 0 to 300 mm"),
        ("2026-12-31T09:00:00Z,1,6\n", ("--zone", "Atlantis"), "must be a time zone such as Asia/Shanghai"),
        ("2026-12-31T09:00:00Z,1,6\n", ("--issued-at", "noon"), "must be an ISO 8601 moment"),
        ("soon,1,6\n", ("--zone", "Asia/Shanghai"), "row 2: time='soon' must be an ISO 8601 moment"),
        ("", (), "must have an hour"),
        ("2026-12-31T12:00:00Z,1,6\n", (), "must be over when it is measured"),
    ],
)
def test_a_bad_file_is_refused_whole(serving, anlan, rows, more, told):
    serving.file.write_text(HEAD + rows)
    status, _, err = anlan("weather", serving.file, *more, "--url", serving.url, "--lang", "en")
    assert status == 2
    assert told in " ".join(err.split())
    assert "天气未知" in anlan("weather", "--url", serving.url)[1]
