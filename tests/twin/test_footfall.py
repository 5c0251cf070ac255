from dataclasses import replace

import numpy as np
import pytest
from tests.small import small_pack

from anlan.twin import Surveyor


@pytest.fixture
def pack():
    return small_pack()


def crowd(n=4000):
    """People at random about the middle of the district."""
    return np.random.default_rng(1).normal(0, 60.0, (2, n))


def test_a_survey_finds_those_who_are_there_up_to_its_errors(pack):
    surveyor = Surveyor(pack, 1)
    x, y = crowd()
    for minute in range(60):
        surveyor.look(11, minute, x, y)
    usual = surveyor.made()
    at = pack.projection.to_metres(usual.lon, usual.lat)
    squares = {(int(a // 25), int(b // 25)) for a, b in zip(*at, strict=True)}
    seen = sum((int(a // 25), int(b // 25)) in squares for a, b in zip(x, y, strict=True))
    assert usual.hours == (11,)
    assert usual.persons.sum() == pytest.approx(seen, rel=0.1)


def test_nobody_is_counted_at_an_hour_at_which_nobody_counts(pack):
    surveyor = Surveyor(pack, 1)
    x, y = crowd()
    surveyor.look(11, 0, x, y)
    surveyor.look(13, 0, x, y)
    surveyor.look(17, 30, x, y)
    assert surveyor.made().hours == (11,)


def test_the_same_survey_is_the_same_and_another_errs_otherwise(pack):
    x, y = crowd()
    made = []
    for seed in (1, 1, 2):
        surveyor = Surveyor(pack, seed)
        surveyor.look(11, 0, x, y)
        made.append(surveyor.made().persons)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_a_square_without_street_or_place_is_not_looked_at(pack):
    bare = replace(pack, places=(), streets=pack.streets[:1])
    assert 0 < len(Surveyor(bare, 1).made().lon) < len(Surveyor(pack, 1).made().lon)
