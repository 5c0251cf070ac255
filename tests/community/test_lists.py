"""What volunteers are asked about is data, and is wrong only with a reason."""

import pytest
from tests.community.conftest import AT, volunteer

from anlan.community import SLOTS, read_lists, shipped_lists
from anlan.community.points import KINDS, read_opening, read_points
from anlan.kernel.errors import BadInput

HEAD = "id,kind,lon,lat,name_zh,name_en,hours\n"


def test_what_a_district_leaves_out_is_as_shipped():
    own = read_lists('[alliances]\nsilk = { name = { zh = "丝", en = "Silk" }, trade = "retail", area = "31" }')
    assert own.alliances["silk"].name["en"] == "Silk"
    assert own.trades == shipped_lists().trades
    assert own.bits("alliances", ["silk"]) == 1
    assert own.bits("skills", ["aed", "first_aid", "none"]) == 3


def test_every_fault_of_the_lists_is_told_at_once():
    text = "x = 1\nmost_asked_a_day = 0\n[rest]\nleast_rest_h = -1\n"
    text += '[alliances]\na = { name = "A", trade = "none", area = "3" }'
    with pytest.raises(BadInput) as refused:
        read_lists(text)
    for part in ("'x' is nothing", "most_asked_a_day=0", "least_rest_h=-1", "trade='none'", "alliances.a.name"):
        assert part in str(refused.value)


def test_what_is_in_no_list_is_refused_with_what_is():
    with pytest.raises(BadInput, match="first_aid"):
        shipped_lists().check(skills=["flying"])


def test_without_a_word_about_hours_nobody_is_asked_at_night():
    assert [slot for slot in SLOTS if not volunteer().may_be_asked(slot)] == ["night"]
    assert [slot for slot in SLOTS if volunteer(free=frozenset({"night"})).may_be_asked(slot)] == ["night"]


def test_a_consent_ends_after_a_year_and_is_asked_for_a_month_before():
    one = volunteer()
    assert one.ends_at == AT.replace(year=2027)
    assert not one.is_reminded(AT.replace(year=2027, month=11, day=1).replace(year=2027, month=10))
    assert one.is_reminded(AT.replace(year=2027, month=11, day=8))


@pytest.mark.parametrize("more", [{"shown_name": " "}, {"shown_name": "x" * 25}, {"free": frozenset({"noon"})}])
def test_a_volunteer_that_cannot_be_is_refused(more):
    with pytest.raises(BadInput):
        volunteer(**more)


def test_a_table_of_service_points_is_read_with_its_hours():
    made = read_points(HEAD + "a,aed,121.48,31.22,甲,A,\nb,window,121.48,31.22,乙,B,working 08:30-17:30\n")
    assert [one.kind for one in made] == ["aed", "window"]
    assert made[0].opening is None
    assert made[1].opening[0].days == "working"


def test_every_faulty_line_of_a_table_is_named():
    text = (
        HEAD
        + "a,aed,31.2,121.4,甲,A,\na,inn,121,31,甲,A,\n,aed,121,31,甲,A,\nd,aed,121,31,丁,D,9-5\ne,aed,x,31,戊,E,\n"
    )
    with pytest.raises(BadInput) as refused:
        read_points(text)
    for part in ("line 2", "kind='inn'", "line 4", "hours '9-5'", "line 6"):
        assert part in str(refused.value)
    assert len(KINDS) == 7


@pytest.mark.parametrize("text", ["20:00-08:00", "08:00-25:00", "08:70-09:00", "monday 08:00-09:00"])
def test_hours_that_cannot_be_are_refused(text):
    with pytest.raises(BadInput):
        read_opening(text)
