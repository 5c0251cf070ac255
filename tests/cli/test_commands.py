"""The verbs explain themselves, start at once, and make and check packs."""

import json
import os
import re
import subprocess
import sys

import click
import pytest
import typer
from typer.testing import CliRunner

from anlan.cli import say
from anlan.cli.commands import app


def verbs(command, path=()):
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from verbs(below, (*path, name))
    else:
        yield path, command


EVERY = list(verbs(typer.main.get_command(app)))


@pytest.mark.parametrize(("path", "command"), [pytest.param(*one, id=" ".join(one[0])) for one in EVERY])
def test_every_verb_and_option_says_what_it_is_for(path, command):
    assert command.help
    silent = [one.name for one in command.params if not getattr(one, "help", None)]
    assert silent == [], path


@pytest.mark.parametrize("path", [path for path, _ in EVERY], ids=" ".join)
def test_help_is_shown_for_every_verb(path):
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.output


def test_every_verb_that_reads_speaks_json():
    reading = {
        ("count",),
        ("places",),
        ("areas",),
        ("devices",),
        ("watches",),
        ("alerts",),
        ("border",),
        ("audit", "verify"),
        ("twin", "scenarios"),
        ("district", "check"),
    }
    without = [
        path
        for path, command in EVERY
        if path in reading and "--json" not in [o for p in command.params for o in p.opts]
    ]
    assert without == []


HELP = "import anlan.cli; sys.argv = ['anlan', '--help']\ntry: anlan.cli.main()\nexcept SystemExit: pass"


@pytest.mark.parametrize(
    ("work", "unasked"),
    [
        (HELP, {"numpy", "fastapi", "numba", "duckdb", "shapely", "anlan.district"}),
        (
            "import anlan.cli.serving",
            {"scipy.stats", "lightgbm", "reportlab", "docx", "openpyxl", "ortools", "highspy", "pandas"},
        ),
    ],
    ids=["help", "server"],
)
def test_nothing_is_loaded_that_only_another_question_asks_for(work, unasked):
    code = f"import sys\n{work}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "anlan.cli" in loaded
    assert loaded & unasked == set()


def processor_s(*command):
    """The least processor time of three runs."""
    best = float("inf")
    for _ in range(3):
        before = os.times().children_user + os.times().children_system
        subprocess.run([sys.executable, *command], check=True, capture_output=True)  # noqa: S603 - ourselves
        best = min(best, os.times().children_user + os.times().children_system - before)
    return best


def test_help_costs_little_more_than_the_library_that_prints_it():
    bare = processor_s("-c", "import typer, rich.console, rich.table, rich.progress, msgspec")
    assert processor_s("-m", "anlan", "--help") < 5 * bare


def test_the_version_is_told(anlan):
    status, out, _ = anlan("--version")
    assert status == 0
    assert re.fullmatch(r"anlan \d+\.\d+\.\d+\S*\n", out)


def test_a_wrong_option_exits_with_2(anlan):
    assert anlan("places", "--nothing")[0] == 2
    assert anlan("serve", "--district", "x", "--port", "99999999")[0] == 2


def test_a_pack_is_made_of_counters_and_checked(anlan, tmp_path):
    counters = tmp_path / "counters.csv"
    counters.write_text("id,name,lat,lon\na,Alpha,-37.81,144.96\nb,Beta,-37.812,144.965\nc,Gamma,-37.815,144.962\n")
    status, out, err = anlan("district", "new", "--out", tmp_path / "city", "--name", "City", "--counters", counters)
    assert status == 0, err
    assert "3 counters" in out
    assert "Melbourne" in out
    assert anlan("district", "check", tmp_path / "city")[0] == 0
    status, _, err = anlan("district", "new", "--out", tmp_path / "city", "--name", "City", "--counters", counters)
    assert status == 5
    assert len(err.strip().splitlines()) == 1


def test_a_table_of_counts_becomes_a_recording(anlan, tmp_path):
    counters, counts = tmp_path / "counters.csv", tmp_path / "counts.csv"
    counters.write_text("id,name,lat,lon\na,Alpha,-37.81,144.96\nb,Beta,-37.812,144.965\nc,Gamma,-37.815,144.962\n")
    anlan("district", "new", "--out", tmp_path / "city", "--name", "City", "--counters", counters)
    rows = (
        "when,who,n",
        *(f"2018-12-31 {row}" for row in ("20:00,Alpha,100", "20:00,Beta,", "20:00,Nobody,5", "21:00,a,7.5")),
    )
    counts.write_text("\n".join(rows))
    status, out, err = anlan(
        "observations",
        "read",
        counts,
        "--district",
        tmp_path / "city",
        "--out",
        tmp_path / "r.parquet",
        "--columns",
        "time=when,device=who,count=n",
    )
    assert status == 0, err
    assert "wrote 1 observations" in out
    assert all(f"{n} {word}" in out for n, word in ((1, "blank"), (1, "of unknown"), (1, "wrong")))
    status, _, err = anlan(
        "observations",
        "read",
        counts,
        "--district",
        tmp_path / "city",
        "--out",
        tmp_path / "r2.parquet",
        "--columns",
        "time=x,device=who,count=n",
    )
    assert status == 2
    assert "when" in err


def test_the_days_of_a_district_are_listed(anlan, pack_folder):
    status, out, _ = anlan("twin", "scenarios", "--district", pack_folder, "--json")
    assert status == 0
    assert json.loads(out)["scenarios"]


def test_a_recorded_hour_holds_what_devices_sent_and_what_was_true(anlan, pack_folder, tmp_path):
    status, out, err = anlan("twin", "record", "--district", pack_folder, "--out", tmp_path / "day", "--hours", "0.1")
    assert status == 0, err
    assert {path.name for path in (tmp_path / "day").iterdir()} == {"observations.parquet", "truth.parquet"}
    assert "wrote" in out


def test_an_unknown_day_is_told(anlan, pack_folder):
    status, _, err = anlan("twin", "record", "--district", pack_folder, "--out", "x", "--scenario", "never")
    assert status == 3
    assert "never" in err


def test_alerts_are_told_in_the_district_s_own_time(monkeypatch):
    alert = {
        "rung": "yellow", "lead_s": None, "grounds": None, "unknown": "stale", "ended_at": None, "closed": None,
        "acknowledged": None, "subject": {"id": "place:bund", "name": {"zh": "外滩", "en": "The Bund"}},
        "since_at": "2026-12-31T10:30:00+00:00",
    }  # fmt: skip
    answers = {"/alerts?past_hours=0": {"alerts": [alert]}, "/district": {"time_zone": "Asia/Shanghai"}}
    monkeypatch.setattr("anlan.cli.commands.Server.ask", lambda _, path: answers[path])
    shown = CliRunner().invoke(app, ["alerts", "--lang", "en"], env={"TZ": "America/New_York", "COLUMNS": "160"})
    assert shown.exit_code == 0, shown.output
    assert "12-31 18:30" in shown.output
    assert "The Bund" in shown.output


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "in 15 min (the trend, what is planned)"), ("zh", "15 分钟后（近期变化、计划活动）")]
)
def test_an_alert_says_on_what_it_is_expected(lang, said):
    told = {
        "measure": "density", "value": 3.2, "limit": 3.0, "probability": 0.4, "rests_on": ["trend", "plan"],
    }  # fmt: skip
    assert said in say.grounds(told, 900.0, lang)
    assert "(" not in say.grounds(told | {"rests_on": []}, None, "en")


@pytest.mark.parametrize(("lang", "said"), [("en", "the survey"), ("zh", "客流普查")])
def test_what_made_a_number_says_what_is_usual(lang, said):
    made = {"sources": [], "narrower": None}
    row = [next(iter(column.cells)) for column in say.why(made | {"usual": 1240}, lang).columns]
    assert row[1:] == [said, "1,240"]
    assert say.why(made | {"usual": None}, lang).row_count == 0


def test_a_border_with_a_silent_counter_is_told_as_a_least(monkeypatch):
    flow = {
        "counted_in_per_minute": 38.0, "counted_out_per_minute": 22.0, "net_per_minute": 16.0,
        "net_sd_per_minute": 7.7, "lines": ["west", "east"], "silent": [],
    }  # fmt: skip
    mute = flow | {"net_per_minute": None, "net_sd_per_minute": None, "silent": ["east"]}
    monkeypatch.setattr("anlan.cli.commands.Server.ask", lambda *_: {"people": flow, "vehicles": mute})
    shown = CliRunner().invoke(app, ["border", "--lang", "en"], env={"COLUMNS": "120"})
    assert shown.exit_code == 0, shown.output
    people, vehicles = (next(line for line in shown.output.splitlines() if word in line) for word in ("people", "vehi"))
    assert all(word in people for word in ("38", "22", "+16 ±8", "2/2"))
    assert all(word in vehicles for word in ("≥38", "≥22", "unknown", "1/2"))
