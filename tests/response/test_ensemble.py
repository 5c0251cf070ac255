import numpy as np
import pytest
from tests.response.test_simulate import road, town

from anlan.kernel.errors import BadInput
from anlan.response.simulate import (
    BOTH,
    NEAREST,
    Carrying,
    Ensemble,
    Fleet,
    Trial,
    compared,
    late_by,
    simulate,
    summary,
    summed,
)


def drawn(**more):
    roads, posts, _ = town(7)
    plans = [Fleet(posts=posts), Fleet(posts=posts[:4])]
    trial = Trial(roads=roads, plans=plans, policies=[NEAREST, BOTH])
    return Ensemble(trial=trial, per_hour=6, weight=np.ones(40), days=10, seed=2, **more)


def test_figures_of_a_year_say_what_its_run_says():
    ensemble = drawn()
    run = simulate(ensemble.trial.roads, ensemble.trial.plans[1], ensemble.year(3), BOTH)
    told = ensemble.told(3)[1][1]
    assert summed("both", [told, told]).within == summary("both", [run, run]).within
    assert {one.group: one.n_late for one in late_by([run], [run.incidents.place], 180)} == {
        place: told.by_place[place, 1] for place in np.flatnonzero(told.by_place[:, 0])
    }
    assert told.by_hour.sum(axis=0).tolist() == [told.n, told.n_late]


def test_fewer_units_are_late_more_often_in_the_same_years():
    years = [drawn().told(k) for k in range(6)]
    made = compared("four", [year[1][0] for year in years], "six", [year[0][0] for year in years])
    assert made.ratio.low > 1
    assert made.slower_s.low > 0


def test_a_year_knows_who_is_carried_and_is_the_same_again():
    ensemble = drawn(carrying=Carrying(hospitals=[3, 9], share=0.5, handover_s=300))
    first, again = ensemble.year(4), ensemble.year(4)
    assert set(np.asarray(first.ends)[np.asarray(first.handover_s) > 0]) == {3, 9}
    assert np.array_equal(first.handover_s, again.handover_s)
    assert np.array_equal(first.at_s, drawn().year(4).at_s)  # whether anybody is carried changes nothing else


def test_other_years_and_nothing_to_try_are_refused():
    told = [drawn().told(k)[0][0] for k in range(3)]
    with pytest.raises(BadInput, match="same in pairs"):
        compared("a", told, "b", told[::-1])
    with pytest.raises(BadInput, match="at least one of each"):
        Trial(roads=road(), plans=[])
