"""Sums over polygons against exact areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma
from shapely import affinity
from tests.crowd.conftest import grid_counts, seen

from anlan.crowd import scan
from anlan.crowd.count import interval, intervals
from anlan.crowd.inside import Inside
from anlan.crowd.rows import unresolved
from anlan.crowd.spread import variances

SIDE, N = 25.0, 40


@st.composite
def polygons(draw):
    """Concave, holed, of several parts, tiny, reaching out of the grid: whatever is valid."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    corners = int(rng.integers(3, 12))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    star = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]) * rng.uniform(0.2, 1, (corners, 1)))
    size = float(np.exp(rng.uniform(np.log(1.0), np.log(600.0))))
    x, y = rng.uniform(-200, N * SIDE + 200, 2).round(draw(st.integers(-1, 3)))
    shape = affinity.translate(affinity.scale(shapely.make_valid(star), size, size, origin=(0, 0)), x, y)
    if draw(st.booleans()):
        shape = shape.difference(shapely.Point(x, y).buffer(size * 0.15))
    if draw(st.booleans()):
        shape = shape.union(shapely.box(x + size, y + size, x + size + 60, y + size + 33))
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    whole = shapely.MultiPolygon(parts)
    return whole.reverse() if draw(st.booleans()) else whole


def exact(shape, sheet):
    row, column = np.divmod(np.arange(N * N), N)
    squares = shapely.box(column * SIDE, row * SIDE, (column + 1) * SIDE, (row + 1) * SIDE)
    return float(shapely.area(shapely.intersection(squares, shape)) / SIDE**2 @ sheet.ravel())


@settings(max_examples=150)
@given(shape=polygons())
def test_sums_are_those_of_exact_areas(shape):
    sheet = np.random.default_rng(3).random((N, N, 2))
    made = scan.sums(scan.Outlines.of([shape], 0.0, 0.0, SIDE), scan.prefix(sheet))[0]
    assert made == pytest.approx([exact(shape, sheet[..., q]) for q in (0, 1)], rel=1e-6, abs=1e-6)


@settings(max_examples=100)
@given(shape=polygons())
def test_shares_are_exact_areas(shape):
    _, _, share = scan.shares(shape, 0.0, 0.0, SIDE)
    assert share.min(initial=0) >= 0
    assert share.max(initial=0) <= 1
    assert share.sum() * SIDE**2 == pytest.approx(shape.area, rel=1e-6, abs=1e-4)


SHARP = np.random.default_rng(5).choice([0.0, 1.0, 3.0], (N // 2, 2, N // 2, 2)) + 0.01
PART = (SHARP / SHARP.sum(axis=(1, 3), keepdims=True)).reshape(N, N)
NUMBER = np.where(
    np.random.default_rng(6).random((N // 2, N // 2)) < 0.8, np.arange(N * N // 4).reshape(N // 2, -1), -1
)


def exact_shares(shape):
    row, column = np.divmod(np.arange(N * N), N)
    squares = shapely.box(column * SIDE, row * SIDE, (column + 1) * SIDE, (row + 1) * SIDE)
    held = (shapely.area(shapely.intersection(squares, shape)) / SIDE**2).reshape(N, N) * PART
    return np.where(NUMBER >= 0, held.reshape(N // 2, 2, N // 2, 2).sum(axis=(1, 3)), 0.0)


@settings(max_examples=150)
@given(shape=polygons(), level=st.floats(-50, 1100))
def test_what_is_gathered_of_larger_squares_is_what_of_their_parts_lies_inside(shape, level):
    boxed = shapely.box(level, level / 2, level + 333, level / 2 + 71)  # cuts squares by level edges alone
    shapes = [shape, shapely.MultiPolygon(), boxed, shape]
    inside = Inside(*scan.gathered(scan.Outlines.of(shapes, 0.0, 0.0, SIDE), PART, NUMBER))
    assert [len(cell) for cell, _ in inside] == [len(inside[0][0]), 0, len(inside[2][0]), len(inside[0][0])]
    for k in (0, 2, 3):
        cell, share = inside[k]
        made = np.zeros(NUMBER.size)
        made[cell] = share
        assert made.reshape(NUMBER.shape) == pytest.approx(exact_shares(shapes[k]), abs=1e-6)
        assert (np.diff(cell) > 0).all()


def test_cells_of_many_are_those_of_each_and_none_are_none(everything):
    shapes = [shapely.box(x, x, x + 300, x + 250) for x in (-500, -300, 900, 0)]
    together, cells = everything.cells.shares_of(shapes), everything.cells
    again = Inside.of([cells.shares(shape) for shape in shapes])
    assert np.array_equal(together.begin, again.begin)
    assert np.array_equal(together.cell, again.cell)
    assert np.array_equal(together.share, again.share)
    assert len(cells.shares_of([])) == len(Inside.of([])) == Inside.of([]).weights(9).shape[0] == 0


def test_an_outline_along_the_lines_of_the_grid_counts_whole_squares():
    ones = scan.prefix(np.ones((N, N, 2)))
    shapes = [shapely.box(0, 0, N * SIDE, N * SIDE), shapely.box(25, 50, 100, 75), shapely.box(-90, -90, 2000, 25)]
    assert scan.sums(scan.Outlines.of(shapes, 0.0, 0.0, SIDE), ones)[:, 0] == pytest.approx([N * N, 3, N])


def test_rings_are_told_apart_also_where_points_stand_twice_or_rings_begin_at_one_point():
    square, corner = [(0, 0), (50, 0), (50, 50), (0, 50)], [(0, 0), (20, 10), (10, 20), (0, 0)]
    shapes = [
        shapely.Polygon([*square[:1], *square, *square[:1]]),
        shapely.Polygon([*square, (0, 50), (0, 0)]),
        shapely.Polygon([*square, (0, 0)], [corner]),
        shapely.Polygon([*square, (0, 0), (0, 0)], [corner[::-1]]),
        shapely.MultiPolygon([shapely.Polygon(square, [corner]), shapely.box(100, 100, 150, 150)]),
        shapely.MultiPolygon([shapely.box(100, 100, 150, 150), shapely.box(200, 0, 250, 25)]),
        shapely.Polygon(),
        shapely.box(0, 0, 25, 25),
    ]
    ones = scan.prefix(np.ones((N, N, 2)))
    made = scan.sums(scan.Outlines.of(shapes, 0.0, 0.0, SIDE), ones)[:, 0]
    assert all(shape.is_valid for shape in shapes)
    assert made * SIDE**2 == pytest.approx([shape.area for shape in shapes])


def test_means_alone_are_those_that_come_with_intervals(everything):
    state = everything.run(
        6, lambda at, k: [seen("lbs", at, counts=grid_counts(everything, everything.cells.expected))] if k == 1 else []
    )
    field = everything.estimator.field(state)
    shapes = [shapely.box(x, x, x + 300, x + 250) for x in (-500, -300, 0, 100)] + [shapely.box(0, 0, 9, 9)]
    made = everything.many(state, shapes)
    means = everything.counter.means(field, shapes)
    for one, mean in zip(made, means, strict=True):
        assert (one.occupancy is None) == bool(np.isnan(mean))
        if one.occupancy is not None:
            assert mean == pytest.approx(one.occupancy, rel=1e-5)


def test_means_are_unknown_where_most_of_a_polygon_has_gone_blind_as_those_with_intervals(everything):
    state = everything.run(
        6, lambda at, k: [seen("lbs", at, counts=grid_counts(everything, everything.cells.expected))] if k == 1 else []
    )
    field = everything.estimator.field(state)
    blind = replace(field, informed_until=np.where(everything.cells.x_m < 0, 0.0, field.informed_until))
    shapes = [shapely.box(x, -300, x + 300, 300) for x in (-500, -200, -100, 100)]
    made = everything.counter.many(blind, everything.cells.shares_of(shapes), blind.at)
    means = everything.counter.means(blind, shapes)
    assert [one.occupancy is None for one in made] == np.isnan(means).tolist()
    assert 0 < np.isnan(means).sum() < len(shapes)


def test_variances_are_those_of_the_dense_product(everything):
    state = everything.run(2, lambda _at, _k: [])
    field = everything.estimator.field(state)
    index, share = everything.cells.shares(shapely.box(-310, -290, 120, 80))
    gradient = (share * field.persons[index]) @ field.hats[index].toarray()
    weights = np.zeros((1, len(everything.cells)))
    weights[0, index] = share
    made = variances(sp.csr_matrix(weights), field.persons, field.hats, field.covariance)[0]
    assert made == pytest.approx(float(gradient @ field.covariance @ gradient), rel=1e-5)


def test_what_the_knots_do_not_resolve_is_as_its_formula_has_it(everything):
    state = everything.run(2, lambda _at, _k: [])
    field = everything.estimator.field(state)
    shapes = [shapely.box(-310, -290, 120, 80), shapely.box(40, 40, 90, 70), shapely.box(-500, -500, 500, 500)]
    weights = everything.cells.shares_of([*shapes, shapely.box(900, 900, 950, 950)]).weights(len(everything.cells))
    block, patch_m = field.blocks.of_cell.indices, field.params.patch_m
    together = max(1.0, (patch_m / field.blocks.cell_m) ** 2)
    x, told = field.persons, []
    for w in weights.toarray():
        part = (np.bincount(block, w * x) / np.bincount(block, x))[block]
        strays = together * ((field.fine[block] * (w - part) * x) ** 2).sum()
        told.append(min(strays, (field.fine[block] * w * x).sum() ** 2) + (w**2 * x).sum())
    assert unresolved(weights, x, field.blocks, field.fine, patch_m) == pytest.approx(told, rel=1e-9, abs=1e-9)


@settings(max_examples=100)
@given(st.floats(1, 1e6), st.floats(0.005, 5.0))
def test_five_per_cent_are_beyond_each_bound_whether_asked_one_by_one_or_together(mean, relative):
    variance = (mean * relative) ** 2
    (low, _), (high, _) = intervals(np.array([mean, 50.0]), np.array([variance, 9.0]))
    assert (low, high) == interval(mean, variance)
    assert gamma.cdf(low, relative**-2, scale=variance / mean) == pytest.approx(0.05, rel=1e-6)
    assert gamma.sf(high, relative**-2, scale=variance / mean) == pytest.approx(0.05, rel=1e-6)


def test_together_places_get_the_estimates_that_each_gets_alone(everything):
    state = everything.run(
        6, lambda at, k: [seen("lbs", at, counts=grid_counts(everything, everything.cells.expected))] if k == 1 else []
    )
    field, counter = everything.estimator.field(state), everything.counter
    half = replace(field, informed_until=np.where(everything.cells.x_m < 0, 0.0, field.informed_until))
    shapes = [*(shapely.box(x, -300, x + 300, 300) for x in (-500, -200, 100)), shapely.box(0, 0, 9, 9)]
    parts = everything.cells.shares_of([*shapes, shapely.box(380, 380, 480, 480)])
    together = counter.many(half, parts, half.at)
    assert together == [counter.many(half, [part], half.at)[0] for part in parts]
    assert len({one.unknown for one in together}) >= 4
