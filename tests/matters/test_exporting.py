import csv
import io
import json

import pytest
from tests.matters.test_keeping import opened, play

from anlan.kernel.errors import BadInput
from anlan.matters import Asked, export_cases
from anlan.store.caselists import Query


def sheet(kept, type_id, who, language=None):
    lines = "".join(export_cases(kept.matters, Asked(query=Query(type_ids=(type_id,))), who, language))
    return list(csv.DictReader(io.StringIO(lines.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", {"类型": "市民诉求", "类型（代码）": "resident_request", "状态": "已受理", "时限": "期限内"}),
        ("en", {"type": "Resident request", "type (code)": "resident_request", "state": "received"}),
    ],
)
def test_a_sheet_for_people_has_words_with_codes_beside_them(lite, language, told):
    desk = lite.who("desk", "intake_desk")
    opened(lite)
    (row,) = sheet(lite, "resident_request", desk, language)
    assert told.items() <= row.items()
    kind = lite.matters.kinds.current("resident_request").fields["kind"]
    heading = kind.label[language]
    beside = f"{heading}（代码）" if language == "zh" else f"{heading} (code)"
    assert row[heading] == kind.options[row[beside]][language]
    name = "区域" if language == "zh" else "area"
    area = lite.matters.ground.areas.area(row[f"{name}（代码）" if language == "zh" else f"{name} (code)"])
    assert row[name] in area.name.values()


@pytest.mark.parametrize("language", [None, "zh"])
def test_moments_are_the_districts_own_with_their_offset_and_no_fraction(lite, language):
    desk = lite.who("desk", "intake_desk")
    case_id = opened(lite)
    (row,) = sheet(lite, "resident_request", desk, language)
    at = lite.matters.read(case_id, desk).case.opened_at.astimezone(lite.matters.work.zone)
    assert row["opened_at" if language is None else "立案时间"] == f"{at:%Y-%m-%dT%H:%M:%S}+08:00"


def test_what_a_plan_refers_to_is_named_and_its_tables_can_be_read(lite):
    case_id, _ = play(lite, "planned_event", until="closed")
    planner = lite.who("p", "planner")
    (words,) = [one for one in sheet(lite, "planned_event", planner, "zh") if one["事项编号"] == case_id]
    (codes,) = [one for one in sheet(lite, "planned_event", planner) if one["case"] == case_id]
    kind = lite.matters.kinds.current("planned_event")
    zones = json.loads(codes["zones"])
    ground = lite.matters.known.names(kind.fields["zones"].columns["ground"].refers)[zones[0]["ground"]]
    first = words[kind.fields["zones"].label["zh"]].splitlines()[0]
    assert f"{kind.fields['zones'].columns['zone'].label['zh']}: {zones[0]['zone']}; " in first
    assert (ground.get("zh") or ground["en"]) in first
    assert codes["begins_at"].endswith("+08:00")
    assert words[kind.fields["organised"].label["zh"]] in {"是", "否"}


def test_a_language_that_is_none_is_refused_before_anything_is_logged(lite):
    desk = lite.who("desk", "intake_desk")
    opened(lite)
    with pytest.raises(BadInput, match="must be zh or en"):
        export_cases(lite.matters, Asked(), desk, "fr")
    assert lite.store.changes()[-1].kind != "case_export"


def test_one_may_export_twice_in_a_moment_of_a_clock_that_stands(lite):
    desk = lite.who("desk", "intake_desk")
    opened(lite)
    assert sheet(lite, "resident_request", desk) == sheet(lite, "resident_request", desk)
    assert [one.kind for one in lite.store.changes()[-2:]] == ["case_export", "case_export"]
