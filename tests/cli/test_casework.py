import json

import pytest
from tests.cases.conftest import LIBRARY

from anlan.cases import shipped_types

IDS = [kind.type_id for kind in shipped_types()]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_types_are_listed(anlan, language):
    status, out, _ = anlan("types", "list", "--lang", language)
    assert status == 0
    assert all(kind.label[language] in out for kind in shipped_types())


@pytest.mark.parametrize("type_id", IDS)
def test_every_shipped_type_is_sound_and_drawn(anlan, type_id):
    assert anlan("types", "lint", type_id)[0] == 0
    status, out, _ = anlan("types", "diagram", type_id)
    assert status == 0
    assert out.startswith("stateDiagram-v2\n")


def test_every_fault_of_a_file_is_told_and_the_status_says_so(anlan, tmp_path):
    broken = (LIBRARY / "hazard.toml").read_text().replace('to = "closed"', 'to = "nowhere"')
    file = tmp_path / "mine.toml"
    file.write_text(broken.replace("source == 'device'", "cost > 1"))
    status, out, _ = anlan("types", "lint", file)
    assert status == 2
    assert "'nowhere' is no state of this type" in out
    assert "asks for the field 'cost', which there is not" in out
    listed = json.loads(anlan("types", "lint", file, "--json")[1])["faults"]
    assert {"where", "value", "rule", "next_step", "blocking"} == set(listed[0])


def test_an_example_is_played_under_the_districts_calendar(anlan):
    status, out, _ = anlan("types", "try", "resident_request", "--json")
    assert status == 0
    told = json.loads(out)
    assert [one["state"] for one in told["steps"]][-1] == "fixed"
    assert sum(one["refused"] is not None for one in told["steps"]) == 7
    # 10:00 to 17:00 on Friday 13 February 2026, and 09:00 to 09:40 on the make-up Saturday.
    assert told["clocks"][1]["elapsed_s"] == pytest.approx(7.6667 * 3600, abs=1)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_is_shown_with_its_refusals_clocks_and_when_it_is_forgotten(anlan, language):
    status, out, _ = anlan("types", "try", "resident_request", "--lang", language)
    assert status == 0
    for word in ("✗", "2027-02-24", "已解决" if language == "zh" else "fixed"):
        assert word in out


@pytest.mark.parametrize(("ask", "status"), [("nothing", 3), ("away.toml", 3)])
def test_what_is_not_there_is_told(anlan, ask, status):
    assert anlan("types", "lint", ask)[0] == status
