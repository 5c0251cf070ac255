import json

import pytest
from tests.small import small_pack

from anlan.pack import write_pack


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A small district, two posts in it, and a day of incidents."""
    folder = tmp_path_factory.mktemp("responding")
    write_pack(small_pack(), folder / "pack")
    ends = [small_pack().streets[k].line.coords[0] for k in (0, -1)]
    features = [
        {
            "type": "Feature",
            "properties": {"id": name, "units": 2},
            "geometry": {"type": "Point", "coordinates": list(at)},
        }
        for name, at in zip("ab", ends, strict=True)
    ]
    (folder / "posts.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    lines = ["time,lon,lat,kind,priority,units,on_scene_s"]
    where = f"{ends[0][0]},{ends[0][1]}"
    lines += [f"2026-05-01T{h:02d}:{m:02d}:00+08:00,{where},fall,,{1 + m % 2},600" for h in range(24) for m in (5, 30)]
    (folder / "day.csv").write_text("\n".join(lines))
    return folder


def asked(place, *verb):
    return (*verb, "--district", place / "pack", "--posts", place / "posts.geojson", "--mode", "foot")


def test_a_plan_is_tried_by_four_policies_over_the_same_incidents(place, anlan):
    ask = asked(place, "simulate", "--days", "2", "--repeat", "3", "--per-day", "80")
    status, out, _ = anlan(*ask, "--json")
    assert status == 0
    made = json.loads(out)
    assert [one["policy"] for one in made["policies"]] == ["nearest", "cover kept", "moved up", "cover kept, moved up"]
    assert len({one["n_incidents"] for one in made["policies"]}) == 1
    assert [one["unit"] for one in made["units"]] == ["a/1", "a/2", "b/1", "b/2"]
    assert all(0 < one["busy"] < 1 for one in made["units"])
    assert all(0 < one["n_late"] <= one["n"] for one in made["late_by_place"])
    assert anlan(*ask, "--json")[1] == out  # the same seed says the same


def test_the_table_speaks_both_languages(place, anlan):
    ask = asked(place, "simulate", "--days", "2", "--repeat", "2", "--per-day", "80")
    status, english, _ = anlan(*ask, "--lang", "en")
    assert status == 0
    assert "nearest free" in english
    assert "fewer arrivals after 180 s" in english or "nobody was late" in english
    assert "最近者出动" in anlan(*ask, "--lang", "zh")[1]


def test_two_plans_meet_the_same_years(place, anlan):
    both = asked(place, "simulate", "--years", "2", "--per-day", "40", "--against", place / "posts.geojson")
    status, out, _ = anlan(*both, "--json")
    assert status == 0
    made = json.loads(out)
    assert made["other"]["policies"] == made["policies"]  # a plan held against itself
    assert [(one["ratio"]["value"], one["slower_s"]["value"]) for one in made["against_other"]] == [(1.0, 0.0)] * 4
    assert 0.9 * 2 * 365 * 40 < made["policies"][0]["n_incidents"] < 1.1 * 2 * 365 * 40
    assert "fewer arrivals after 180 s than posts.geojson" in anlan(*both, "--lang", "en")[1]


def test_fewer_units_are_told_to_be_later(place, anlan):
    few = json.loads((place / "posts.geojson").read_text())
    (place / "few.geojson").write_text(json.dumps(few | {"features": few["features"][:1]}))
    ask = asked(
        place, "simulate", "--days", "20", "--repeat", "3", "--per-day", "60", "--against", place / "few.geojson"
    )
    made = json.loads(anlan(*ask, "--json")[1])
    assert made["against_other"][0]["ratio"]["high"] < 1
    assert made["against_other"][0]["slower_s"]["high"] < 0


def test_who_is_taken_to_a_hospital_keeps_a_unit_longer(place, anlan):
    ask = asked(place, "simulate", "--days", "3", "--repeat", "2", "--per-day", "60", "--json")
    plain = json.loads(anlan(*ask)[1])
    status, out, _ = anlan(*ask, "--hospitals", place / "posts.geojson", "--carried", "100", "--handover", "20")
    assert status == 0
    assert json.loads(out)["policies"][0]["busy"]["value"] > 1.3 * plain["policies"][0]["busy"]["value"]


def test_a_cluster_that_is_none_is_told(place, anlan):
    status, _, said = anlan(*asked(place, "simulate", "--days", "1", "--repeat", "2", "--cluster", "nowhere"))
    assert status == 7
    assert "anlan[cluster]" in said or "must be a Dask scheduler" in " ".join(said.split())


def test_recorded_incidents_are_played_again(place, anlan):
    status, out, _ = anlan(*asked(place, "replay", "incidents", place / "day.csv"), "--json")
    assert status == 0
    made = json.loads(out)
    assert {one["n_incidents"] for one in made["policies"]} == {48}
    assert sorted(one["group"] for one in made["late_by_hour"]) == list(range(24))  # hours of the district's clock
    assert sum(one["n_late"] for one in made["late_by_place"]) == sum(one["n_late"] for one in made["late_by_hour"])
    # half of the incidents need one unit, half two: 600 s each, turn-out and the way there
    assert sum(one["busy"] for one in made["units"]) == pytest.approx(72 * 600 / 86400, rel=0.35)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2026-05-01T00:00:00,121.48,31.9,fall,,1,", "within 1000 m of a street"),
        ("2026-05-01T00:00:00,east,31.2,fall,,1,", "line 2"),
        ("someday,121.48,31.22,fall,,1,", "line 2"),
    ],
)
def test_a_line_that_cannot_be_is_named(place, anlan, tmp_path, row, told):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("time,lon,lat,kind,priority,units,on_scene_s\n" + row)
    status, _, said = anlan(*asked(place, "replay", "incidents", wrong))
    assert status == 2
    assert told in " ".join(said.split())


def test_a_file_without_its_columns_and_posts_that_are_none_are_refused(place, anlan, tmp_path):
    short = tmp_path / "short.csv"
    short.write_text("time,kind\n2026-05-01T00:00:00,fall\n")
    assert "lacks" in anlan(*asked(place, "replay", "incidents", short))[2]
    nothing = tmp_path / "none.geojson"
    nothing.write_text("{}")
    status, _, said = anlan("simulate", "--district", place / "pack", "--posts", nothing)
    assert status == 2
    assert "at least one post" in " ".join(said.split())
