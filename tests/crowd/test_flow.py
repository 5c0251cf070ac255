"""Flow over a drawn line: counted where a device counts, else inferred with an interval that says so."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crowd.conftest import AT, GRID, MINUTE, Small, grid_counts, passage, seen, view

from anlan.crowd import Flows
from anlan.crowd.flow import _pieces
from anlan.kernel.errors import BadInput
from anlan.kernel.records import UnknownReason


@pytest.fixture(scope="module")
def small():
    return Small([view(1, -470, -470), passage(1, 200), passage(2, -200), passage(3, 0, directed=False), GRID])


@pytest.fixture(scope="module")
def flows(small):
    return Flows.of(small.pack, small.cells)


@pytest.fixture(scope="module")
def field(small):
    state = small.run(5, lambda at, k: [seen("view-1", at, k, n_present=40)])
    counts = grid_counts(small, small.cells.expected * 3)
    at = state.present.at + MINUTE
    told = seen("lbs", at, 9, length=5 * MINUTE, counts=counts)
    return small.estimator.field(small.estimator.advance(state, [told], at))


def heard(flows, at, **counted):
    """Return the windows of five minutes in which each counter counted so many in and out."""
    names = {name.replace("_", "-"): pair for name, pair in counted.items()}
    told = [
        seen(
            name,
            at - k * MINUTE,
            9 - k,
            **({"n_in": pair[0], "n_out": pair[1]} if isinstance(pair, tuple) else {"n_passed": pair}),
        )
        for name, pair in names.items()
        for k in range(5)
    ]
    return flows.lines.heard({}, told, at)


def ask(flows, field, line, **counted):
    return flows.flow(shapely.LineString(line), field, heard(flows, field.at, **counted), field.at.timestamp())


CELLS = Small([]).cells
ACROSS = [(200, -470), (200, -430)]  # a street of 10 m, on which passage-1 counts
BARE = [(-100, -470), (-100, -430)]  # the same street where nothing counts


def test_where_a_device_counts_on_the_line_its_count_is_the_flow(flows, field):
    made = ask(flows, field, ACROSS, passage_1=(30, 12))
    assert made.per_min == pytest.approx(42)
    assert (made.in_per_min, made.out_per_min) == (30, 12)
    assert made.low_per_min < 42 < made.high_per_min < 60
    assert made.counted_share == 1
    assert made.devices == ("passage-1",)


def test_in_is_from_left_to_right_of_the_line_as_it_was_drawn(flows, field):
    made = ask(flows, field, ACROSS[::-1], passage_1=(30, 12))
    assert (made.in_per_min, made.out_per_min) == (12, 30)


def test_a_counter_without_directions_tells_their_sum_only(flows, field):
    made = ask(flows, field, [(0, -470), (0, -430)], passage_3=50)
    assert made.per_min == pytest.approx(50)
    assert made.in_per_min is None


def test_without_a_device_the_flow_is_inferred_and_the_interval_is_wide(flows, field):
    made = ask(flows, field, BARE, passage_1=(30, 12))
    assert made.devices == ()
    assert made.counted_share == 0
    assert made.in_per_min is None
    assert made.high_per_min / made.low_per_min > 5
    assert made.width_m == pytest.approx(10, rel=0.1)


def test_a_silent_counter_is_not_taken_for_an_empty_street(flows, field):
    assert ask(flows, field, ACROSS).counted_share == 0


def test_what_other_counters_count_moves_what_is_inferred(flows, field):
    few = ask(flows, field, BARE, passage_1=(6, 6), passage_2=(6, 6))
    many = ask(flows, field, BARE, passage_1=(60, 60), passage_2=(60, 60))
    assert many.per_min > 1.5 * few.per_min


def test_a_long_line_adds_what_is_counted_and_what_is_inferred(flows, field):
    made = ask(flows, field, [(200, -470), (200, -330)], passage_1=(30, 12))  # two streets, one with a counter
    assert made.per_min > 42
    assert 0 < made.counted_share < 1
    assert made.in_per_min is None


def test_a_line_along_a_street_is_crossed_by_few(flows, field):
    across = ask(flows, field, [(-100, -455), (-100, -445)])
    along = ask(flows, field, [(-140, -451), (-120, -449)])
    assert along.high_per_min < across.high_per_min


def test_a_counter_that_the_line_only_touches_is_not_its_count(flows, field):
    assert ask(flows, field, [(200, -450), (200, -380)], passage_1=(30, 12)).devices == ()
    assert ask(flows, field, [(170, -452), (230, -448)], passage_1=(30, 12)).devices == ()


def test_so_few_that_they_could_be_known_are_not_told(flows, field):
    made = ask(flows, field, ACROSS, passage_1=(1, 0))
    assert (made.hidden, made.per_min, made.high_per_min) == (True, None, 2)


def test_unknown_says_why(flows, field):
    now_s = field.at.timestamp()
    line = shapely.LineString(BARE)
    assert flows.flow(line, None, {}, now_s).unknown is UnknownReason.NOT_STARTED
    blind = replace(field, informed_until=np.full(len(field.persons), np.nan))
    assert flows.flow(line, blind, {}, now_s).unknown is UnknownReason.NO_DEVICE
    lake = shapely.LineString([(420, 420), (440, 440)])
    assert flows.flow(lake, field, {}, now_s).unknown is UnknownReason.NOT_WALKABLE


@pytest.mark.parametrize("line", [[(0, 0), (1, 0)], [(0, 0), (6000, 0)]])
def test_too_short_or_too_long_is_refused(flows, field, line):
    with pytest.raises(BadInput, match="m long"):
        ask(flows, field, line)


@given(st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 300)), min_size=2, max_size=5, unique=True))
@settings(max_examples=60)
def test_the_pieces_of_a_line_make_up_its_length(points):
    line = shapely.LineString(points)
    assert _pieces(line, CELLS)[1].sum() <= line.length * (1 + 1e-9)
    row, column = np.divmod(np.arange(CELLS.n_rows * CELLS.n_columns), CELLS.n_columns)
    whole = replace(CELLS, row=row, column=column)
    assert _pieces(line, whole)[1].sum() == pytest.approx(line.length)


def test_the_start_is_unknown_and_not_zero(small, flows):
    field = small.estimator.field(small.estimator.start(AT))
    assert flows.flow(shapely.LineString(BARE), field, {}, AT.timestamp()).per_min is None
