import json

import pytest

ROTA = """
begin_on = 2026-12-07
n_days = 7
staff = "staff.csv"

[shifts.day]
label = { zh = "白班", en = "day" }
begin = "08:00"
length_h = 12

[shifts.dark]
label = { zh = "夜班", en = "night" }
begin = "20:00"
length_h = 12

[duties.square]
label = { zh = "广场", en = "square" }
shifts = ["day", "dark"]
area_km2 = 0.1
per_km2 = 16
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "staff.csv").write_text("id\n" + "".join(f"m{k}\n" for k in range(10)))
    made = tmp_path / "rota.toml"
    made.write_text(ROTA)
    return made


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_rota_is_planned_written_and_planned_anew(anlan, file, tmp_path, language):
    status, out, _ = anlan("plan", "rota", file, "--out", tmp_path / "out", "--lang", language)
    assert status == 0
    assert ("夜班" if language == "zh" else "nights") in out
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"rota.csv", "rota.ics", "rota.xlsx"}
    first = (tmp_path / "out" / "rota.csv").read_text().splitlines()[1].split(",")
    away = f"{first[1]}=2026-12-07"
    status, out, _ = anlan(
        "plan", "rota", file, "--keep", tmp_path / "out" / "rota.csv", "--missing", away, "--lang", language
    )
    assert status == 0
    assert ("已证明最少" if language == "zh" else "proved fewest") in out


def test_rules_that_clash_are_told_and_the_status_says_so(anlan, file):
    file.write_text(ROTA.replace("per_km2 = 16", "per_km2 = 80"))
    status, out, _ = anlan("plan", "rota", file, "--lang", "en")
    assert status == 5
    assert "without any one of them they can" in out
    status, out, _ = anlan("plan", "rota", file, "--json")
    (clash,) = json.loads(out)["clashes"]
    assert clash["minimal"]
    assert any("on square" in rule["told"] for rule in clash["rules"])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (("--missing", "m0=2026-12-08"), 2),
        (("--seconds", "0"), 2),
        (("--keep", "gone.csv"), 3),
        (("--keep", "staff.csv"), 2),
    ],
)
def test_bad_input_is_refused(anlan, file, monkeypatch, more, status):
    monkeypatch.chdir(file.parent)
    assert anlan("plan", "rota", file, *more)[0] == status


def test_a_file_that_is_not_there_is_told(anlan, tmp_path):
    assert anlan("plan", "rota", tmp_path / "none.toml")[0] == 3
