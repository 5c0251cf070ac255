import json

import numpy as np
import pytest

from anlan.kernel.errors import BadInput, NoData
from anlan.response.travel import ArrivalFit, Runs, fit_arrivals

STATIONS = {"north": -0.3, "middle": 0.0, "south": 0.35, "rare": 0.3}


def recorded(seed, n=1200):
    """Runs whose law is known: square root of the way, rush at 17 h, stations, and a slow quarter in the east."""
    draw = np.random.default_rng(seed)
    x, y = draw.random(n) * 10_000, draw.random(n) * 10_000
    origin = draw.choice(list(STATIONS), n, p=[0.33, 0.33, 0.33, 0.01])
    hour, nominal = draw.random(n) * 24, draw.gamma(3, 60, n)
    runs = Runs(nominal_s=nominal, hour=hour, origin=list(origin), x_m=x, y_m=y)
    return runs, truth(runs), np.exp(np.log(truth(runs)) + 0.25 * draw.standard_normal(n))


def truth(runs):
    own = np.array([STATIONS[one] for one in runs.origin])
    slow = 0.3 * np.exp(-((runs.x_m - 8000) ** 2 + (runs.y_m - 5000) ** 2) / (2 * 2000**2))
    rush = 0.15 * np.cos(2 * np.pi * (runs.hour - 17) / 24)
    return np.exp(4.6 + 0.9 * np.sqrt(runs.nominal_s / 300) + own + slow + rush)


@pytest.fixture(scope="module")
def learned():
    runs, _, taken = recorded(1)
    return fit_arrivals(runs, taken)


def test_the_law_behind_the_records_is_found(learned):
    runs, true_s, _ = recorded(2)
    assert np.abs(np.log(learned.median_s(runs) / true_s)).mean() < 0.06
    assert learned.width_m > 0
    assert learned.origins == tuple(sorted(STATIONS))


def test_intervals_hold_as_often_as_they_say(learned):
    runs, _, taken = recorded(3, 4000)
    for level in (0.5, 0.8, 0.9):
        told = learned.expected(runs, level=level)
        assert ((told.low_s <= taken) & (taken <= told.high_s)).mean() == pytest.approx(level, abs=0.035)
    assert learned.chance_within(runs, 300).mean() == pytest.approx((taken <= 300).mean(), abs=0.02)


def test_a_station_with_few_records_is_drawn_to_the_others(learned):
    runs, _, taken = recorded(1)
    here = np.array([one == "rare" for one in runs.origin])
    raw = np.log(taken[here]).mean() - np.log(learned.median_s(Runs(
        nominal_s=runs.nominal_s[here], hour=runs.hour[here], origin=["nobody knows"] * int(here.sum()),
        x_m=runs.x_m[here], y_m=runs.y_m[here],
    ))).mean()  # fmt: skip
    unknown = learned.median_s(Runs(nominal_s=[200.0], hour=[9.0], origin=["nobody knows"], x_m=[0.0], y_m=[0.0]))
    own = learned.median_s(Runs(nominal_s=[200.0], hour=[9.0], origin=["rare"], x_m=[0.0], y_m=[0.0]))
    assert 0 < np.log(own / unknown)[0] < raw + 0.05


def test_more_of_a_way_takes_longer_and_is_less_likely_in_time(learned):
    way = np.linspace(0, 1500, 20)
    runs = Runs(nominal_s=way, hour=np.full(20, 9.0), origin=["north"] * 20, x_m=np.full(20, 5e3), y_m=np.full(20, 5e3))
    told = learned.expected(runs)
    assert (np.diff(told.median_s) > 0).all()
    assert (told.low_s < told.median_s).all()
    assert (told.median_s < told.high_s).all()
    assert (np.diff(learned.chance_within(runs, 240)) <= 1e-12).all()


def test_it_is_kept_as_json_and_read_again(learned):
    again = ArrivalFit.from_dict(json.loads(json.dumps(learned.to_dict())))
    runs, _, _ = recorded(4, 50)
    assert (again.expected(runs).high_s == learned.expected(runs).high_s).all()
    for spoilt in ({"weights": [1.0]}, {"power": "x"}, {"knots_s": [0.0]}):
        with pytest.raises(BadInput, match=r"arrival fit|weights"):
            ArrivalFit.from_dict({**learned.to_dict(), **spoilt})
    with pytest.raises(BadInput, match="without centres_m"):
        ArrivalFit.from_dict({name: value for name, value in learned.to_dict().items() if name != "centres_m"})


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"nominal_s": [-1.0]}, "nominal_s=-1.0 must be >= 0"),
        ({"nominal_s": [np.nan]}, "must be a number"),
        ({"hour": [24.0]}, "below 24"),
        ({"x_m": [1.0, 2.0]}, r"x_m of shape \(2,\)"),
    ],
)
def test_wrong_runs_are_refused(spoilt, told):
    with pytest.raises(BadInput, match=told):
        Runs(**{"nominal_s": [60.0], "hour": [9.0], "origin": ["a"], "x_m": [0.0], "y_m": [0.0], **spoilt})


def test_too_few_or_impossible_records_are_refused(learned):
    runs, _, taken = recorded(5, 120)
    with pytest.raises(NoData, match="99 records are too few"):
        fit_arrivals(runs.part(np.arange(99)), taken[:99])
    with pytest.raises(BadInput, match=r"arrival_s\[0\]=0.0"):
        fit_arrivals(runs, np.where(np.arange(120) == 0, 0.0, taken))
    with pytest.raises(BadInput, match="level=1"):
        learned.expected(runs, level=1)
    with pytest.raises(BadInput, match="within_s=0"):
        learned.chance_within(runs, 0)
