"""Ladders of a pack: read, written, and refused with file, row and remedy."""

import pytest
from tests.pack.conftest import ring

from anlan.kernel.ladders import Also, Measure
from anlan.pack import check_pack, read_pack, write_pack

HEAD = "of,measure,notice,yellow,orange,red,also,above,source\n"


def told(folder, *lines):
    folder.text("ladders.csv", HEAD + "\n".join(lines) + "\n")
    return [fault for fault in check_pack(folder.path) if fault.file == "ladders.csv"]


@pytest.mark.parametrize(
    ("line", "value", "rule"),
    [
        ("*,density,2,4,3,5,,,Still", "density ladder 2, 4, 3, 5 of '*'", "must rise from notice to red"),
        ("*,density,2,,2,,,,Still", "density ladder 2, -, 2, - of '*'", "must rise from notice to red"),
        ("*,density,,,,,,,Still", "density ladder -, -, -, - of '*'", "must have a limit, each above 0"),
        ("*,density,-1,,,,,,Still", "notice=-1", "must be > 0"),
        ("*,crowding,1,2,3,4,,,Still", "measure=crowding", "must be one of"),
        ("*,density,1,2,3,4,,,", "source=''", "must be given"),
        ("gardn,density,1,2,3,4,,,Still", "of=gardn", "must be a place, its kind, a device, or *"),
        ("*,density,1,2,3,4,net_inflow,,IMO", "density ladder 1, 2, 3, 4 of '*'", "or neither"),
    ],
)
def test_a_faulty_ladder_is_told_with_its_row_and_a_remedy(folder, line, value, rule):
    faults = told(folder, "garden,density,1,2,3,4,,,Still", line)
    assert [(fault.row, fault.value) for fault in faults][:1] == [(3, value)]
    assert rule in faults[0].rule
    assert faults[0].remedy


def test_a_source_is_told_in_each_language_or_once_for_all(folder, tmp_path):
    head = "of,measure,notice,yellow,orange,red,source,source_zh,source_en\n"
    folder.text("ladders.csv", head + "*,density,2,3,4,5,,首尔2023,Seoul 2023\ngarden,density,1,2,3,4,Still,,\n")
    pack = read_pack(folder.path)
    assert [one.source for one in pack.ladders] == [{"zh": "首尔2023", "en": "Seoul 2023"}, "Still"]
    write_pack(pack, tmp_path / "again")
    assert read_pack(tmp_path / "again").ladders == pack.ladders
    folder.text("ladders.csv", head + "*,density,2,3,4,5,Seoul,首尔,\n*,share_of_capacity,,,,1,,,\n")
    assert [(fault.row, fault.rule) for fault in check_pack(folder.path) if fault.file == "ladders.csv"] == [
        (2, "must not stand beside source_<language>"),
        (3, "must be given"),
    ]


def test_a_rule_that_comes_twice_is_told(folder):
    line = "garden,density,1,2,3,4,,,Still"
    assert "row 2 has it" in told(folder, line, line)[0].rule
    garden = {"id": "garden", "kind": "venue", "name_zh": "园", "capacity": 500, "closed": True}
    folder.features("places.geojson", (ring(121.48, 31.22), garden | {"thresholds": [1, 2, 3, 4]}))
    assert "places.geojson, row 1 has thresholds" in told(folder, line)[0].rule


def test_ladders_are_read_and_written_as_they_were(folder, tmp_path):
    folder.text("ladders.csv", HEAD + "venue,density,1,2,3,4,,,Still\ngarden,density,,,,3.5,net_inflow,1.5,IMO\n")
    pack = read_pack(folder.path)
    assert [(one.of, one.measure, one.limits) for one in pack.ladders] == [
        ("venue", Measure.DENSITY, (1.0, 2.0, 3.0, 4.0)),
        ("garden", Measure.DENSITY, (None, None, None, 3.5)),
    ]
    assert (pack.ladders[1].also, pack.ladders[1].above) == (Also.FILLING, 1.5)
    assert pack.place("garden").thresholds.red_per_m2 == 4.0
    write_pack(pack, tmp_path / "again")
    again = read_pack(tmp_path / "again")
    assert again.ladders == pack.ladders
    assert again.places[0].thresholds == pack.places[0].thresholds
