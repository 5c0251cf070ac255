"""A sheet becomes cases, all of them or none; every fault is told at once."""

import csv
import io
import itertools
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases.walking import BEGIN, someone
from tests.small import small_pack

from anlan.cases import shipped_types
from anlan.cases.sheets import open_drafts, read_cells, read_drafts
from anlan.kernel.errors import BadInput, NotAllowed

KIND = shipped_types().get("programme_task")
HEADS = ["任务编号", "任务名称", "完成标准", "责任单位", "完成期限", "区域", "第一节点期限"]


@pytest.fixture(scope="module")
def tree():
    return small_pack().areas


def rows(n):
    return [
        [f"A-{k}", f"任务 {k}", "完成", f"unit-{k % 18}", "2026-09-30", ("西街", "31-e", "小区")[k % 3], "2026-04-30"]
        for k in range(n)
    ]


def csv_of(cells):
    text = io.StringIO()
    csv.writer(text).writerows(cells)
    return text.getvalue().encode("utf-8-sig")


def xlsx_of(cells):
    book = openpyxl.Workbook()
    for row in cells:
        book.active.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def opened(told, role="planner", area="31"):
    ids = (f"t-{k}" for k in itertools.count())
    return open_drafts(KIND, told, someone("p", role, area=area), at=BEGIN, new_id=lambda: next(ids))


@pytest.mark.parametrize(("make", "file"), [(csv_of, "tasks.csv"), (xlsx_of, "tasks.xlsx")])
def test_a_thousand_tasks_come_from_one_sheet(tree, make, file):
    content = make([HEADS, *rows(1000)])
    told = read_drafts(KIND, read_cells(content, file), tree)
    cases = opened(told)
    assert told.faults == ()
    assert len({one.case_id for one in cases}) == 1000
    assert cases[0].areas == {"district": "31", "street": "31-w"}
    assert cases[999].values["finish_by"] == "2026-09-30"


def test_of_a_thousand_rows_thirty_seven_are_wrong_and_all_are_told(tree):
    cells = rows(1000)
    wrong = set(range(5, 1000, 27))
    assert len(wrong) == 37
    spoil = itertools.cycle(
        [(4, "2026-13-40"), (5, "南街"), (1, ""), (3, None), (4, "soon"), (5, ""), (6, "2026-02-30")]
    )
    for k in wrong:
        column, value = next(spoil)
        cells[k][column] = value
    told = read_drafts(KIND, [HEADS, *cells], tree)
    assert {one.row for one in told.faults} == {k + 2 for k in wrong}
    assert len(told.faults) == 37
    with pytest.raises(BadInput, match="has 37 faults, and nothing was opened"):
        opened(told)


def test_a_row_with_three_faults_tells_three(tree):
    bad = ["A-1", "t", "", "u", "never", "南街", ""]
    told = read_drafts(KIND, [HEADS, bad], tree)
    assert [one.column for one in told.faults] == ["measure", "finish_by", "area"]
    assert str(told.faults[2]) == "row 2, area: '南街' must be an area of the district; give the id of an area."


def test_a_date_of_the_sheet_is_a_date_however_it_is_written(tree):
    cells = rows(5)
    for row, told in zip(
        cells, [date(2026, 9, 30), "2026/9/30", "2026.09.30", "2026年9月30日", "2026-09-30"], strict=True
    ):
        row[4] = told
    drafts = read_drafts(KIND, read_cells(xlsx_of([HEADS, *cells]), "t.xlsx"), tree).drafts
    assert {one.filled["finish_by"] for one in drafts} == {"2026-09-30"}


@pytest.mark.parametrize(
    ("heads", "column"),
    [
        ([*HEADS, "颜色"], "颜色"),
        ([*HEADS, "title"], "title"),
        (HEADS[1:], "item_no"),
        (HEADS[:5], "area"),
        ([*HEADS, "outcome"], "outcome"),
    ],
)
def test_headings_that_are_wrong_are_told_before_any_row(tree, heads, column):
    told = read_drafts(KIND, [heads, *rows(3)], tree)
    assert [(one.row, one.column) for one in told.faults] == [(1, column)]
    assert told.drafts == ()


def test_the_same_row_twice_is_told(tree):
    told = read_drafts(KIND, [HEADS, *rows(2), [None] * 7, rows(1)[0]], tree)
    assert [(one.row, one.rule) for one in told.faults] == [(5, "must not be the same as row 2")]


def test_whoever_may_open_in_one_street_opens_nothing_of_a_sheet_for_two(tree):
    told = read_drafts(KIND, [HEADS, *rows(6)], tree)
    with pytest.raises(NotAllowed):
        opened(told, area="31-w")


def test_choices_and_numbers_are_read_by_their_words(tree):
    kind = shipped_types().get("finding")
    heads = ["问题", "台账编号", "类别", "程度", "source", "area"]
    told = read_drafts(kind, [heads, ["通道窄", 17.0, "消防安全", "serious", "排查", 31]], tree)
    assert told.faults == ()
    assert told.drafts[0].filled == {
        "title": "通道窄", "item_no": 17, "category": "fire", "severity": "serious", "source": "inspection"
    }  # fmt: skip


def test_a_sheet_in_gb18030_is_read_and_what_is_no_sheet_is_refused():
    assert read_cells("任务,区域\n".encode("gb18030"), "t.csv") == [["任务", "区域"]]
    for content, file in ((b"x", "t.ods"), (b"junk", "t.xlsx"), (b"\xff\xff\xff", "t.csv"), (b'a\n"b', "t.csv")):
        with pytest.raises(BadInput):
            read_cells(content, file)


def test_what_is_far_too_large_is_refused_before_it_is_read():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 201_000_000)
    assert len(bomb.getvalue()) < 1_000_000
    with pytest.raises(BadInput, match="bytes unpacked must have <= 200000000"):
        read_cells(bomb.getvalue(), "t.xlsx")
    with pytest.raises(BadInput, match="split the sheet"):
        read_cells(b"0" * 20_000_001, "t.csv")


CELL = st.one_of(st.none(), st.text(max_size=5), st.integers(), st.floats(), st.booleans(), st.dates(), st.datetimes())


@settings(max_examples=60)
@given(cells=st.lists(st.lists(CELL, min_size=7, max_size=8), max_size=6))
def test_whatever_stands_in_a_sheet_is_a_draft_or_a_fault(cells):
    pack_tree = small_pack().areas
    told = read_drafts(KIND, [HEADS, *cells], pack_tree)
    filled = sum(any(cell is not None and str(cell).strip() for cell in row) for row in cells)
    rows_told = {one.row for one in told.drafts} | {one.row for one in told.faults}
    assert len(rows_told) == max(filled, 1)
    assert not {one.row for one in told.drafts} & {one.row for one in told.faults}
