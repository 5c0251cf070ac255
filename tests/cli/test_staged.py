from datetime import UTC, datetime
from random import Random

import pytest
from tests.matters.conftest import tall_pack
from tests.small import town_pack

from anlan.cli.staged import N_SHIFTS, N_VOLUNTEERS, REQUESTS, TEAMS, stage
from anlan.district import District
from anlan.kernel.access import Scope
from anlan.kernel.clock import FollowedClock
from anlan.matters import Asked, list_cases, plain_reader
from anlan.volunteers.joining import volunteers
from anlan.volunteers.rostering import shifts

AT = datetime(2026, 2, 10, 1, tzinfo=UTC)
EVERYWHERE = Scope(True, frozenset())


def staged(folder, pack):
    district = District.open(pack, folder, clock=FollowedClock(AT))
    stage(district, Random(1))
    return district


@pytest.fixture
def shown(tmp_path):
    made = staged(tmp_path, tall_pack())
    yield made
    made.close()


def test_a_demo_has_volunteers_whose_names_are_of_teams(shown):
    rows = volunteers(shown.community, EVERYWHERE, limit=500)
    assert len(rows) == N_VOLUNTEERS
    assert {row["shown_name"].split()[0] for row in rows} == set(TEAMS)
    assert all(row["shown_name"].split()[1].isdigit() for row in rows)


def test_a_demo_has_shifts_with_people_in_them_and_cases_on_their_way(shown):
    planned = shifts(shown.community, EVERYWHERE, AT, datetime(2026, 3, 10, tzinfo=UTC))
    assert len(planned) == N_SHIFTS
    assert sum(one.n_seated for one in planned) > N_SHIFTS
    cases = list_cases(shown.matters, Asked(limit=100), plain_reader("r")).cases
    assert len(cases) == len(REQUESTS) + 7
    assert {one.case.state for one in cases} >= {"received", "assigned", "in_work", "found", "planned", "running"}


def test_a_demo_has_an_event_whose_triggers_run(shown):
    case = next(one for one in list_cases(shown.matters, Asked(limit=100), plain_reader("r")).cases if one.kind.live)
    live = shown.underway.look(case.case.case_id, plain_reader("r"))
    assert live.runs
    assert [one.zone for one in live.zones] == ["A", "B"]
    assert [one.trigger.above for one in live.triggers] == [0.5, 2.5]


def test_a_district_without_such_levels_or_alliances_is_shown_as_well(tmp_path):
    made = staged(tmp_path, town_pack())
    assert len(volunteers(made.community, EVERYWHERE, limit=500)) == N_VOLUNTEERS
    made.close()
