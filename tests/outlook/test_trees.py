"""Trees are grown beside, on what is older than two weeks, and serve a district; without them all goes on."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from tests.small import small_pack
from tests.waiting import PATIENCE_S

from anlan.crowd.forecast import boosting_installed
from anlan.crowd.forecast.grown import HORIZONS, Grown
from anlan.kernel.alerts import Basis
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Estimate
from anlan.outlook import Outlooks, trees
from anlan.outlook.trees import Trees
from anlan.store import DuckHistory, columns

TREES = pytest.mark.skipif(not boosting_installed(), reason="LightGBM is not installed: the extra forecast")
NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
"""Two in the morning in Shanghai."""
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
PACK = small_pack()
NAMES = [f"place:{place.place_id}" for place in PACK.places]


def people(at, size):
    """Return a day with its height at noon in Shanghai, a third more on Saturdays."""
    local = at + timedelta(hours=8)
    day = 1 + 0.6 * np.cos((local.hour + local.minute / 60 - 12) / 24 * 2 * np.pi)
    return 200 * size * day * (4 / 3 if local.weekday() == 5 else 1)


def estimate(at, occupancy):
    return Estimate(at=at, walkable_m2=1e4, occupancy=occupancy, sd=30.0, low=occupancy - 50, high=occupancy + 50)


def fill(history, n_days):
    """Keep the middle minute of each quarter of so many days up to now, and the minute of now."""
    rng, rows = np.random.default_rng(5), []
    for k in range(n_days * 96, 0, -1):
        at = NOW - k * QUARTER + timedelta(minutes=8)
        many = people(at, np.arange(1, 4)) * np.exp(rng.normal(0, 0.05, 3))
        rows.append(columns.estimate_table(at, {n: estimate(at, float(m)) for n, m in zip(NAMES, many, strict=True)}))
    with history._writing() as write:
        write.register("incoming", pa.concat_tables(rows).combine_chunks())
        write.execute("INSERT INTO estimate SELECT * FROM incoming")
        write.unregister("incoming")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep eleven weeks, and the trees that a program beside grew on them."""
    folder = tmp_path_factory.mktemp("district")
    history = DuckHistory.open(folder)
    fill(history, 77)
    made = Outlooks(PACK, history, folder)
    if boosting_installed():
        made.trees.n_rounds = 60
        made.tend(NOW)
        made.trees.wait(900)  # on a machine that does much else
    yield folder, history, made
    made.close()
    history.close()


def present(at=NOW, place=1):
    return estimate(at, float(people(at, place + 1)))


@TREES
def test_trees_serve_once_they_are_grown_and_say_so(kept):
    _, _, outlooks = kept
    made = outlooks.subject(NAMES[1], present())
    assert made.basis is Basis.TREES
    assert made.days == pytest.approx(77 - 14, abs=0.1)
    assert [point.at - NOW for point in made.points] == [k * QUARTER for k in HORIZONS]
    for point in made.points:
        assert point.occupancy == pytest.approx(people(point.at - QUARTER / 2, 2), rel=0.12)
        assert point.low < point.occupancy < point.high
        assert point.high - point.low < point.occupancy  # they stray by 5 %


@TREES
def test_they_learn_from_what_is_older_than_the_errors_that_are_told_of_them(kept):
    grown = kept[2].trees.grown
    assert grown.until == NOW
    assert grown.learned_until == NOW - 14 * DAY


@TREES
def test_a_district_that_is_opened_again_tells_the_same(kept):
    folder, history, outlooks = kept
    again = Outlooks(PACK, history, folder)
    assert again.subject(NAMES[2], present(place=2)) == outlooks.subject(NAMES[2], present(place=2))


@TREES
def test_what_comes_later_changes_nothing_of_what_was_told(kept):
    folder, history, outlooks = kept
    earlier = NOW - 3 * DAY
    told = Trees(PACK, history, folder).ahead(earlier, ())
    outlooks.trees.ahead(NOW, ())
    assert outlooks.trees.ahead(earlier, ()) == told
    points = told[NAMES[0]].points
    begun = [point.at - QUARTER / 2 for point in points]
    assert [point.occupancy for point in points] == pytest.approx([people(at, 1) for at in begun], rel=0.15)


@TREES
def test_by_night_their_errors_are_learned_anew_and_by_day_nothing(kept):
    _, history, outlooks = kept
    asked = []

    class Heard(Trees):
        def _ask(self, now, planned):
            asked.append((now, planned))

    held = Heard(PACK, history, kept[0])
    held.tend(NOW + timedelta(hours=10), ())
    held.tend(NOW + timedelta(hours=1), ())
    assert asked == []
    held.tend(NOW + DAY, ())
    held.wait(PATIENCE_S)
    assert asked == [(NOW + DAY, ())]
    before = outlooks.trees.grown
    outlooks.trees.tend(NOW + DAY, ())
    outlooks.trees.wait(900)
    after = outlooks.trees.grown
    assert after.until == NOW + DAY
    assert after.learned_until == before.learned_until


@TREES
def test_under_ten_weeks_none_are_grown(tmp_path):
    history = DuckHistory.open(tmp_path)
    fill(history, 69)
    held = Outlooks(PACK, history, tmp_path)
    held.tend(NOW)
    held.trees.wait(PATIENCE_S)
    assert held.trees.grown is None
    assert not (tmp_path / "forecast").exists()
    assert held.subject(NAMES[1], present()).basis is Basis.USUAL
    held.close()
    history.close()


def test_without_lightgbm_it_is_the_usual(kept, monkeypatch):
    folder, history, _ = kept
    monkeypatch.setattr(trees, "boosting_installed", lambda: False)
    held = Outlooks(PACK, history, folder)
    held.tend(NOW + DAY)
    held.trees.wait(PATIENCE_S)
    assert held.subject(NAMES[1], present()).basis is Basis.USUAL


@TREES
@pytest.mark.parametrize("body", ["{", "{}", '{"trees": {"near": [], "forests": {"1": ["no tree"]}}}'])
def test_a_file_that_is_damaged_is_left(kept, tmp_path, caplog, body):
    (tmp_path / "forecast").mkdir()
    (tmp_path / "forecast" / "trees.json").write_text(body)
    held = Outlooks(PACK, kept[1], tmp_path)
    assert held.subject(NAMES[1], present()).basis is Basis.USUAL
    assert "are left" in caplog.text


@TREES
def test_trees_of_other_places_are_left(kept):
    folder, history, _ = kept
    held = Trees(PACK, history, folder)
    held._subjects = tuple(reversed(NAMES))
    assert held.grown is None


@TREES
def test_what_was_learned_comes_back_whole(kept):
    grown = kept[2].trees.grown
    again = Grown.read(grown.written())
    assert again.written() == grown.written()
    with pytest.raises(BadInput, match="learn anew"):
        Grown.read(grown.written() | {"up": [[[1.0]]]})
