"""What is published gives away no small count: neither by itself nor by subtracting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.indicators.test_indicators import EAST, FIRST, MARCH, TREE, WEST, entries, records

from anlan.indicators import (
    Cell,
    Records,
    before,
    bulletin_words,
    hide,
    indicator,
    published,
    published_by_value,
)
from anlan.indicators.bulletin import HIDDEN
from anlan.papers import compose, shipped_paper

LEAST = 5


@st.composite
def trees(draw, depth=3):
    """A tree of counts in which an area may hold more than its parts."""
    below, cells = {}, {}

    def grow(key, left):
        parts = [f"{key}.{k}" for k in range(draw(st.integers(0, 4)))] if left else []
        below[key] = parts
        total = sum(grow(part, left - 1) for part in parts)
        total += draw(st.sampled_from([0, 0, 0, 1, 3, 4, 5, 9, 40])) if parts else draw(st.integers(0, 12))
        cells[key] = Cell((total,))
        return total

    grow("a", depth)
    return below, cells


def solved(below, cells, hidden):
    """Every count that follows from what is shown: parts that add up, what is in no part, and their sums."""
    keys = [*cells, *(f"rest {key}" for key in below if below[key])]
    column = {key: k for k, key in enumerate(keys)}
    rows, right = [], []
    for key, parts in below.items():
        if parts:
            row = np.zeros(len(keys))
            row[column[key]] = 1
            row[[column[part] for part in parts]] = -1
            row[column[f"rest {key}"]] = -1
            rows.append(row)
            right.append(0.0)
    for key, cell in cells.items():
        if key not in hidden:
            row = np.zeros(len(keys))
            row[column[key]] = 1
            rows.append(row)
            right.append(float(cell.counts[0]))
    matrix, told = np.array(rows).reshape(len(rows), len(keys)), np.array(right)
    values = np.linalg.pinv(matrix) @ told
    known = np.linalg.pinv(matrix) @ matrix
    return {key: float(values[k]) for key, k in column.items() if abs(known[k, k] - 1) < 1e-8}


@settings(max_examples=300)
@given(trees())
def test_no_small_count_follows_from_what_is_shown(tree):
    below, cells = tree
    hidden = hide("a", below, cells, LEAST)
    for key, value in solved(below, cells, hidden).items():
        assert not 0.5 < value < LEAST - 0.5, (key, value)
        assert key not in hidden or value < 0.5, f"{key} is hidden and follows"


@settings(max_examples=300)
@given(trees())
def test_what_is_hidden_below_a_shown_area_is_no_small_count_together(tree):
    below, cells = tree
    hidden = hide("a", below, cells, LEAST)
    for key, parts in below.items():
        if key in hidden:
            assert set(parts) <= hidden
            continue
        shown = sum(cells[part].counts[0] for part in parts if part not in hidden)
        left = cells[key].counts[0] - shown if parts else 0
        assert left == 0 or left >= LEAST


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.lists(st.integers(20, 99), min_size=2, max_size=6))
def test_most_of_what_is_large_stays(small, large):
    parts = {f"s{k}": Cell((n,)) for k, n in enumerate(small)} | {f"l{k}": Cell((n,)) for k, n in enumerate(large)}
    total = Cell((sum(small) + sum(large),))
    hidden = hide("all", {"all": list(parts)}, {"all": total, **parts}, LEAST)
    assert sum(key.startswith("l") for key in hidden) <= 1
    assert "all" not in hidden
    assert not hidden or any(small)


def test_a_street_with_three_calls_hides_its_neighbour_too():
    few = entries("incident", 3, kind="theft") + entries("incident", 40, areas=EAST, kind="theft")
    told = published(indicator("calls_for_help"), records(few), TREE, MARCH)
    assert {key: one.value for key, one in told.items()} == {"31": 43, "31-w": None, "31-e": None}
    assert all(told[key].hidden for key in ("31-w", "31-e"))


def test_what_lies_in_no_street_is_not_found_by_subtracting():
    nowhere = [
        type(one)(entry_id=one.entry_id, source=one.source, from_at=one.from_at, areas={"district": "31"})
        for one in entries("incident", 2, on="2026-03-11")
    ]
    both = entries("incident", 30) + entries("incident", 40, areas=EAST)
    told = published(indicator("calls_for_help"), records(nowhere, both), TREE, MARCH)
    assert told["31"].value == 72
    assert [key for key, one in told.items() if one.hidden] == ["31-w"]


@pytest.mark.parametrize(("n_yes", "n_no", "hidden"), [(20, 20, False), (20, 2, True), (3, 20, True), (20, 0, False)])
def test_a_share_gives_away_neither_side(n_yes, n_no, hidden):
    begun = entries("hazard", n_yes, made_safe_kept=True) + entries("hazard", n_no, made_safe_kept=False)
    told = published(indicator("hazards_safe_on_time"), records(begun), TREE, MARCH)
    assert told["31"].hidden is hidden


def test_kinds_are_published_for_the_whole_district_only_and_a_rare_one_hides_another():
    calls = (
        entries("incident", 2, kind="fire")
        + entries("incident", 9, kind="noise")
        + entries("incident", 30, kind="theft")
    )
    told = published_by_value(indicator("calls_for_help"), records(calls), TREE, MARCH)
    assert {key for key, one in told.items() if one.hidden} == {"fire", "noise"}
    assert told["theft"].value == 30


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_monthly_bulletin_tells_what_is_published_and_nothing_more(language):
    few = entries("incident", 3, kind="theft") + entries("incident", 40, areas=EAST, kind="theft")
    kept, one = records(few), indicator("calls_for_help")
    february = before(MARCH)
    early = Records(kept.entries, dict.fromkeys(kept.kept, (MARCH.from_at, MARCH.until_at)))
    told = [(one, published(one, kept, TREE, MARCH), published(one, early, TREE, february))]
    paper = compose(shipped_paper("monthly_bulletin"), bulletin_words(told, TREE, "31", {}), language)
    assert [row[1:3] for row in paper.blocks[1].rows[1:]] == [("43", "—")]
    assert [row[2] for row in paper.blocks[2].rows[1:]] == [HIDDEN[language]] * 2
    assert {"zh": "警情记录（期内开立）", "en": "incidents (begun in the period)"}[language] in paper.blocks[1].rows[1]
    assert one.formula not in paper.blocks[1].rows[1]  # it is read by everybody


def test_a_class_of_three_is_not_published_by_its_heads():
    one = entries("public_class", 1, until="2026-03-12", n_attended=3, topic="fire")
    quarter = indicator("class_attendance")
    assert published(quarter, records(one), TREE, FIRST)["31"].hidden
    many = entries("public_class", 6, until="2026-03-12", areas=WEST, n_attended=30, topic="fire")
    assert published(quarter, records(many), TREE, FIRST)["31"].value == 180
