"""Parcels: nothing is told of less ground or fewer people than the limits, however it is asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anlan.crowd.parcels import LEAST_M2, Parcels
from anlan.kernel.records import LEAST_PERSONS

SIDE = 24


def laid(seed=0, n=300):
    """Return the parcels of cells strewn over a square, some with little ground."""
    rng = np.random.default_rng(seed)
    square = rng.choice(SIDE * SIDE, n, replace=False)
    row, column = np.divmod(square, SIDE)
    side = np.where((row < 9) & (column < 7), 0, np.where(column > 18, 3, -1))
    return Parcels(row, column, rng.uniform(1, 625, n), rng.uniform(0.01, 50, n), side)


PARCELS = laid()
people = arrays(np.float64, 300, elements=st.floats(0, 400) | st.floats(0, 2))


@given(people)
@settings(max_examples=150)
def test_every_parcel_holds_enough_people_on_enough_ground(persons):
    number = PARCELS.numbers(persons)
    assert number.min() == 0
    assert len(np.unique(number)) == number.max() + 1
    if number.max() > 0:
        assert np.bincount(number, persons).min() >= LEAST_PERSONS
        assert np.bincount(number, PARCELS.walkable_m2).min() >= LEAST_M2


@given(people)
@settings(max_examples=100)
def test_spreading_keeps_the_people_of_every_parcel(persons):
    number, told = PARCELS.numbers(persons), PARCELS.spread(persons)
    assert np.bincount(number, told) == pytest.approx(np.bincount(number, persons), rel=1e-9, abs=1e-9)
    assert told.min() >= 0


@given(people, st.data())
@settings(max_examples=100)
def test_who_stands_where_within_a_parcel_is_not_told(persons, data):
    number = PARCELS.numbers(persons)
    parcel = data.draw(st.integers(0, int(number.max())))
    cells = np.flatnonzero(number == parcel)
    elsewhere = persons.copy()
    elsewhere[cells] = data.draw(st.permutations(persons[cells].tolist()))
    if (PARCELS.numbers(elsewhere) == number).all():  # else some cell holds enough there to be told by itself
        assert PARCELS.spread(elsewhere) == pytest.approx(PARCELS.spread(persons), rel=1e-9)


def test_a_crowd_keeps_its_cells_and_its_empty_surroundings_are_joined():
    row, column = np.divmod(np.arange(64), 8)
    crowd = (row < 4) & (column < 4)
    parcels = Parcels(row, column, np.full(64, 600.0), np.ones(64), np.full(64, -1))
    persons = np.where(crowd, np.random.default_rng(1).uniform(30, 300, 64), 0.5)
    told = parcels.spread(persons)
    assert told[crowd] == pytest.approx(persons[crowd])
    assert told[~crowd] == pytest.approx(np.full((~crowd).sum(), 0.5))
    assert len(np.unique(parcels.numbers(persons)[~crowd])) <= 3


def test_what_stands_behind_a_fence_is_not_told_in_the_street_before_it():
    row, column = np.divmod(np.arange(64), 8)
    park = (row < 3) & (column < 3)
    side = np.where(park, 5, -1)
    parcels = Parcels(row, column, np.full(64, 600.0), np.where(park, 9.0, 1.0), side)
    persons = np.where(park, 4.0, 6.0)  # a park that has emptied; no cell of either holds ten
    told = parcels.spread(persons)
    assert told[park].sum() == pytest.approx(36)
    assert not set(parcels.numbers(persons)[park]) & set(parcels.numbers(persons)[~park])
    few = parcels.numbers(np.where(park, 0.5, 6.0))  # a park of five people is told with its surroundings
    assert set(few[park]) <= set(few[~park])


def test_fewer_than_ten_in_all_are_one_parcel():
    assert (PARCELS.numbers(np.full(300, 0.01)) == 0).all()


def test_what_is_left_over_in_the_end_joins_the_smallest_parcel():
    parcels = Parcels(np.array([0, 0, 1]), np.array([0, 1, 1]), np.full(3, 500.0), np.ones(3), np.full(3, -1))
    assert parcels.numbers(np.array([90.0, 20.0, 3.0])).tolist() == [0, 1, 1]


def test_nothing_known_stays_unknown():
    assert np.isnan(PARCELS.spread(np.full(300, np.nan))).all()
