"""A type that nobody shipped, written only as TOML, has everything that a shipped one has; no code knows it."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.cases.walking import areas_of, someone
from tests.small import small_pack

from anlan.cases import (
    OPEN,
    Action,
    Catalogue,
    Light,
    advance,
    applied,
    diagram,
    firings,
    forget,
    forget_at,
    lint_type,
    open_case,
    public_fields,
    read_clocks,
    read_type,
    replay,
    shipped_types,
)
from anlan.cases.counting import entry_of
from anlan.cases.migration import migrated
from anlan.cases.page import page
from anlan.cases.paperwork import case_words, paper_of
from anlan.cases.sheets import open_drafts, read_drafts
from anlan.indicators import PeriodKind, Records, listed, measure, period_of, read_indicators
from anlan.kernel.errors import Conflict
from anlan.papers import as_pdf, compose, read_paper

TREES = """
id = "tree_check"
version = 1
label = { zh = "行道树检查", en = "Street tree check" }
purpose = { zh = "台风前检查一段路的行道树。", en = "The trees of a street are checked before a typhoon." }
entry_level = "street"
opens = "asked"
opened_by = ["desk"]
confidentiality = "internal"
carried = ["stretch"]

[roles]
desk = { zh = "受理岗", en = "desk" }
gardener = { zh = "绿化单位", en = "gardeners" }

[evidence]
picture = { zh = "照片", en = "picture" }

[fields]
stretch = { kind = "text", label = { zh = "路段", en = "stretch" }, required = true, public = true }
check_by = { kind = "date", label = { zh = "检查期限", en = "check by" }, required = true }
n_felled = { kind = "integer", label = { zh = "伐除株数", en = "felled" }, least = 0, public = true }
[fields.trees]
kind = "table"
label = { zh = "树木", en = "trees" }
unique = ["tree_no"]
each = "sound or given(measure)"
because = { zh = "有隐患须写措施", en = "what is not sound has a measure" }
[fields.trees.columns]
tree_no = { kind = "integer", label = { zh = "编号", en = "tree" }, required = true, least = 1 }
sound = { kind = "boolean", label = { zh = "完好", en = "sound" }, required = true }
measure = { kind = "text", label = { zh = "措施", en = "measure" } }

[states]
asked = { label = { zh = "已派", en = "asked for" } }
checked = { label = { zh = "已检查", en = "checked" }, closed = true }

[transitions.check]
label = { zh = "检查", en = "check" }
from = ["asked"]
to = "checked"
roles = ["gardener"]
fills = ["trees", "n_felled"]
anew = ["trees", "n_felled"]
evidence = ["picture"]
guard = "every(trees, sound) or n_felled >= 1"
because = { zh = "有隐患的须处理", en = "what is not sound is dealt with" }
other_than = ["open"]

[clocks.check]
label = { zh = "检查期限", en = "checked by" }
starts = ["asked"]
until = "check_by"
climbs = [{ share = 1, to = "up", letter = true }]

[documents.slip]
label = { zh = "检查单", en = "slip" }
paper = "slip"
states = ["checked"]

[retention]
after = "100 days"
keeps = ["n_felled", "check_by"]
level = "street"
basis = { zh = "一百天后删除", en = "gone after a hundred days" }

[[example]]
at = 2026-06-01T09:00:00+08:00
do = "open"
by = "a"
role = "desk"
fields = { stretch = "复兴路东段", check_by = "2026-06-30" }
state = "asked"
[[example]]
at = 2026-06-03T09:00:00+08:00
do = "check"
by = "b"
role = "gardener"
fields = { trees = [{ tree_no = 1, sound = false }], n_felled = 0 }
evidence = ["picture"]
refused = "bad_input"
[[example]]
at = 2026-06-03T10:00:00+08:00
do = "check"
by = "b"
role = "gardener"
fields = { trees = [{ tree_no = 1, sound = false, measure = "伐除" }, { tree_no = 2, sound = true }], n_felled = 1 }
evidence = ["picture"]
state = "checked"
"""
SLIP = """
id = "slip"
title = { zh = "检查单", en = "Slip" }
[[part]]
kind = "rows"
rows = "trees"
text = { zh = "{stretch}", en = "{stretch}" }
[part.columns]
tree_no = { zh = "编号", en = "tree" }
sound = { zh = "完好", en = "sound" }
"""
FELLED = """
[felled]
label = { zh = "伐除株数", en = "trees felled" }
unit = { zh = "株", en = "trees" }
source = "tree_check"
counted = "ended"
form = "sum"
value = "n_felled"
level = "street"
period = "month"
better = "neither"
"""
KIND = read_type(TREES)


def test_it_is_sound_and_its_example_goes_as_written():
    assert lint_type(TREES) == []
    assert [one.case.state for one in replay(KIND)] == ["asked", "asked", "checked"]
    assert "绿化单位" in diagram(KIND, "zh")
    assert page(KIND).startswith("## Street tree check")
    assert Catalogue((*shipped_types(), KIND)).get("tree_check") is KIND


def test_its_clock_its_public_fields_and_its_forgetting_work(work):
    case = replay(KIND)[-1].case
    assert read_clocks(KIND, case, work, case.history[-1].at)[0].light is Light.GREEN
    open_one = replay(KIND)[0].case
    late = firings(KIND, open_one, work, since_at=open_one.opened_at, until_at=open_one.opened_at + timedelta(days=60))
    assert [(one.share, one.letter) for one in late] == [(0.8, False), (1.0, True)]
    assert public_fields(KIND, case) == {"stretch": "复兴路东段", "n_felled": 1}
    kept, record = forget(KIND, case, work, forget_at(KIND, case, work))
    assert kept.values == {"n_felled": 1, "check_by": "2026-06-30"}
    assert record.fields == ("stretch", "trees")


def test_it_gives_its_paper_comes_from_a_sheet_and_is_counted(work):
    case = replay(KIND)[-1].case
    assert paper_of(KIND, case, "slip") == "slip"
    paper = compose(read_paper(SLIP), case_words(KIND, case, case.values, work), "zh")
    assert paper.blocks[0].rows == (("编号", "完好"), ("1", "否"), ("2", "是"))
    assert as_pdf(paper).startswith(b"%PDF")
    tree = small_pack().areas
    told = read_drafts(
        KIND, [["stretch", "检查期限", "area"], ["a", "2026-07-01", "31-w"], ["b", "2026-07-01", "东街"]], tree
    )
    at = datetime(2026, 6, 1, tzinfo=UTC)
    cases = open_drafts(KIND, told, someone("d", "desk", area="31"), at=at, new_id=iter("xy").__next__)
    check = Action(transition="check", filled={"trees": [{"tree_no": 1, "sound": True}], "n_felled": 4},
                   evidence={"picture": "a" * 64})  # fmt: skip
    done = [applied(one, advance(KIND, one, check, someone("g", "gardener", area="31"), at=at)) for one in cases]
    (one,) = read_indicators(FELLED)
    period = period_of(PeriodKind.MONTH, at, work.zone)
    entries = tuple(entry_of(KIND, case, work, at) for case in done)
    kept = Records(entries, {"tree_check": (at - timedelta(days=90), at + timedelta(days=90))})
    number = measure(one, kept, tree, "31", period)
    assert number.value == 8
    assert [entry.entry_id for entry in listed(number.query, one, kept, tree)] == ["x", "y"]
    assert measure(one, kept, tree, "31-e", period).value == 4


def test_its_guards_and_four_eyes_hold_and_a_newer_version_tells_what_does_not_fit():
    opening = Action(transition=OPEN, filled={"stretch": "s", "check_by": "2026-07-01"})
    at = datetime(2026, 6, 1, tzinfo=UTC)
    case = open_case(KIND, ("c", areas_of(KIND)), opening, someone("a", "desk"), at)
    rows = [{"tree_no": 1, "sound": False, "measure": "prop"}]
    check = Action(transition="check", filled={"trees": rows, "n_felled": 0}, evidence={"picture": "a" * 64})
    with pytest.raises(Conflict, match="what is not sound is dealt with"):
        advance(KIND, case, check, someone("b", "gardener"), at=at)
    newer = read_type(
        TREES.replace("version = 1", "version = 2").replace(
            '"text", label = { zh = "路段"', '"integer", label = { zh = "路段"'
        )
    )
    assert [one.rule for one in migrated(case, KIND, newer).misfits] == ["must be a whole number"]
