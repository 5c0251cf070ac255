import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from anlan.cli.commands import app
from anlan.kernel.errors import BadInput

WEEKS = 14


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """A file of fourteen weeks of two counters, hour by hour, and the same in the long form."""
    folder, begin = tmp_path_factory.mktemp("counts"), datetime(2026, 1, 5)  # noqa: DTZ001 - a clock on the wall
    rng = np.random.default_rng(1)
    wide, long = ["time,a,b"], ["time,sensor,count"]
    for k in range(WEEKS * 168):
        at = (begin + timedelta(hours=k)).isoformat()
        mean = 300 + 250 * np.sin((k % 24 - 9) / 24 * 2 * np.pi)
        a, b = rng.poisson(mean), rng.poisson(2 * mean)
        wide.append(f"{at},{a},{b}")
        long += [f"{at},a,{a}", f"{at},b,{b}"]
    (folder / "wide.csv").write_text("\n".join(wide))
    (folder / "long.csv").write_text("\n".join(long))
    return folder


def test_a_backtest_prints_its_table(counts, anlan):
    status, out, _ = anlan("forecast", "backtest", counts / "wide.csv", "--from", "2026-03-30", "--lang", "en")
    assert status == 0
    for name in ("ratio to the usual", "persistence", "seasonal naive"):
        assert name in out
    assert out.splitlines()[0].split() == [
        "forecaster",
        "ahead",
        "error",
        "(WAPE)",
        "MASE",
        "in",
        "the",
        "interval",
        "half-width",
    ]


def test_both_forms_of_a_file_tell_the_same(counts, anlan):
    told = []
    for name in ("wide.csv", "long.csv"):
        status, out, _ = anlan("forecast", "backtest", counts / name, "--from", "2026-03-30", "--json")
        assert status == 0
        told.append(json.loads(out)["scores"])
    assert told[0] == told[1]
    by = {one["forecaster"]: one["wape"] for one in told[0]}
    assert by["ratio to the usual"] < by["persistence"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when,a\n2026-01-05,1", "must have one called time"),
        ("time,a\nyesterday,1", "ISO 8601"),
        ("time,a\n2026-01-05T00:00,1\n2026-01-05T01:00,1\n2026-01-05T02:00,1\n2026-01-05T03:17,1", "even steps"),
    ],
)
def test_a_file_that_does_not_fit_is_told(tmp_path, anlan, text, said):
    file = tmp_path / "counts.csv"
    file.write_text(text)
    status, _, err = anlan("forecast", "backtest", file, "--from", "2026-03-30")
    assert status == 2
    assert said in " ".join(err.split())


@pytest.fixture
def known(tmp_path):
    """What was planned for one of the counters, and two days of weather."""
    planned, weather = tmp_path / "planned.csv", tmp_path / "weather.csv"
    planned.write_text("begin_at,end_at,counter,added\n2026-04-01T18:00,2026-04-01T22:00,a,5000\n")
    hours = [f"2026-04-0{1 + k // 24}T{k % 24:02d}:00,{0.0 if k % 5 else ''},{10 + k % 24}" for k in range(48)]
    weather.write_text("time,rain_mm,temperature_c\n" + "\n".join(hours))
    return ["--planned", planned, "--weather", weather]


def test_hours_for_which_something_was_planned_are_told_apart_with_and_without(counts, anlan, known):
    asked = ["forecast", "backtest", counts / "wide.csv", "--from", "2026-03-30", *known]
    status, out, _ = anlan(*asked, "--json")
    assert status == 0
    told = {(one["forecaster"], one["sees"], one["hours"]): one for one in json.loads(out)["scores"]}
    seeing, blind = (told["ratio to the usual", sees, "planned"] for sees in ("all", "counts"))
    assert seeing["wape"] > blind["wape"]  # five thousand were planned, and nobody came
    assert seeing["n"] == blind["n"] == 6
    status, out, _ = anlan(*asked, "--lang", "en")
    assert status == 0
    assert "hours for which something was planned" in out
    assert "(counts alone)" in out


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--planned", "begin_at,end_at,counter\n", "add added"),
        ("--planned", "begin_at,end_at,counter,added\n2026-04-01,2026-04-02,c,5\n", "must be one that is counted"),
        ("--planned", "begin_at,end_at,counter,added\n2026-04-01,2026-04-02,a,many\n", "must be a number"),
        ("--planned", "begin_at,end_at,counter,added\n2026-04-01,2026-04-02,a,\n", "persons who are expected"),
        ("--weather", "time,rain_mm,temperature_c\n", "must have an hour"),
        ("--weather", "time,rain_mm,temperature_c\n2026-04-01T00:00,-1,5\n", "must be >= 0 mm"),
        ("--weather", "time,rain_mm,temperature_c\n1026-04-01T00:00,1,5\n2026-04-01T00:00,1,5\n", "50 years"),
    ],
)
def test_a_file_of_what_is_known_that_does_not_fit_is_told(counts, tmp_path, anlan, option, text, said):
    file = tmp_path / "known.csv"
    file.write_text(text)
    status, _, err = anlan(
        "forecast", "backtest", counts / "wide.csv", "--from", "2026-03-30", option, file, "--lang", "en"
    )
    assert status == 2
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("basis", "zh", "en"),
    [
        ("trees", "按历史学习（梯度提升），并计入天气", "by trees that learned from the history, with the weather"),
        ("plan", "按近一小时变化与计划活动", "what is planned"),
        ("usual", "按往常规律", "by what is usual"),
        ("trend", "按近一小时变化", "by the last hour's trend"),
    ],
)
def test_a_forecast_says_what_it_rests_on(monkeypatch, basis, zh, en):
    point = {"at": "2026-12-31T11:00:00+00:00", "occupancy": 1234.0, "low": 1000.0, "high": 1500.0, "hidden": False}
    few = {"at": "2026-12-31T13:00:00+00:00", "occupancy": None, "low": None, "high": 10.0, "hidden": True}
    made = {"made_at": "2026-12-31T10:00:00+00:00", "basis": basis, "days": 60.0, "points": [point, few]}
    made["by_weather"] = basis == "trees"
    monkeypatch.setattr("anlan.cli.forecasting.Server.ask", lambda *_: made)
    for lang, said in (("zh", zh), ("en", en)):
        shown = CliRunner().invoke(app, ["forecast", "place", "bund", "--lang", lang], env={"COLUMNS": "120"})
        assert shown.exit_code == 0, shown.output
        assert said in shown.output
        assert "1,234" in shown.output
        assert "<10" in shown.output


def test_a_polygon_in_a_file_is_forecast(monkeypatch, tmp_path):
    point = {"at": "2026-12-31T11:00:00+00:00", "occupancy": 1234.0, "low": 1000.0, "high": 1500.0, "hidden": False}
    made = {"made_at": "2026-12-31T10:00:00+00:00", "basis": "usual", "days": 9.0, "points": [point]}
    asked = []

    def ask(_, *question):
        asked.append(question)
        return {**made, "by_weather": False}

    monkeypatch.setattr("anlan.cli.forecasting.Server.ask", ask)
    area = {"type": "Polygon", "coordinates": [[[121.49, 31.24], [121.491, 31.24], [121.491, 31.241], [121.49, 31.24]]]}
    file = tmp_path / "area.geojson"
    file.write_text(json.dumps(area))
    shown = CliRunner().invoke(app, ["forecast", "polygon", str(file), "--lang", "en"], env={"COLUMNS": "120"})
    assert asked == [("/count/forecast", {"polygon": area})]
    assert "1,234" in shown.output
    assert "by what is usual" in shown.output
    wrong = CliRunner().invoke(app, ["forecast", "polygon", str(tmp_path / "none.geojson"), "--lang", "en"])
    assert isinstance(wrong.exception, BadInput)
