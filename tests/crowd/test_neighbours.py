"""By how much the devices around one count more than before, and how surely that is known."""

import numpy as np
import pytest
import scipy.sparse as sp

from anlan.crowd.neighbours import Around

NEAR = np.full((3, 12), 3)


def test_neighbours_that_weigh_alike_are_as_sure_as_their_counts_however_far():
    for weight in (1.0, 0.1):
        around = Around(sp.csr_matrix([[0, weight, weight], [0, 0, 0], [0, 0, 0]]), NEAR)
        ratio, number = around.moved(np.array([[5.0, 30.0, 10.0]]), np.array([[5.0, 10.0, 10.0]]))
        assert ratio[0, 0] == pytest.approx(2.0)
        assert number[0, 0] == pytest.approx(20.0)


def test_one_near_neighbour_among_many_far_is_not_as_sure_as_all_of_them():
    around = Around(sp.csr_matrix([[0, 1, 0.1], [0, 0, 0], [0, 0, 0]]), NEAR)
    _, number = around.moved(np.array([[0.0, 10.0, 10.0]]), np.array([[0.0, 10.0, 10.0]]))
    assert 10 < number[0, 0] < 20


def test_who_has_no_neighbours_is_told_nothing_by_them():
    around = Around(sp.csr_matrix((3, 3)), NEAR)
    ratio, number = around.moved(np.ones((1, 3)), np.ones((1, 3)))
    assert ratio.tolist() == [[1, 1, 1]]
    assert number.tolist() == [[0, 0, 0]]
