"""Work that is spread says the same as work done here, in the order of its parts, wherever it was done."""

import multiprocessing
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
import pytest
from distributed import LocalCluster
from hypothesis import given
from hypothesis import strategies as st
from tests.waiting import PATIENCE_S

from anlan.engine import Here, Pool, cluster, threads
from anlan.kernel.errors import BadInput, Unavailable
from anlan.response.simulate import BOTH, NEAREST, Ensemble, Fleet, Roads, Trial

STREET = np.abs(np.subtract.outer(np.arange(9.0), np.arange(9.0))) * 60
TRIAL = Trial(roads=Roads(times_s=STREET), plans=[Fleet(posts=[4, 5]), Fleet(posts=[0, 8])], policies=[NEAREST, BOTH])
DRAWN = Ensemble(trial=TRIAL, per_hour=0.6, weight=np.ones(9), days=20, seed=3)


@contextmanager
def processes():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        yield Pool(executor, 2)


@contextmanager
def machines():
    """A Dask scheduler and two workers, each a process of its own that is asked over TCP."""
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, worker_dashboard_address=None
        ) as started,
        cluster(started.scheduler_address) as pool,
    ):
        yield pool


def figures(years):
    """Return everything that was told, as text: equal texts are equal to the bit."""
    told = [asdict(one) for year in years for plan in year for one in plan]
    return [
        repr({name: value.tolist() if hasattr(value, "tolist") else value for name, value in one.items()})
        for one in told
    ]


@pytest.mark.parametrize("room", [lambda: threads(3), processes, machines], ids=["threads", "processes", "machines"])
def test_an_ensemble_says_the_same_wherever_it_is_run(room):
    here = figures(Here().spread(DRAWN.told, range(11)))
    assert len(set(here)) == 44
    with room() as pool:
        assert figures(pool.spread(DRAWN.told, range(11))) == here


def test_a_year_is_the_same_whichever_is_asked_for_first():
    forth, back = (list(Here().spread(DRAWN.told, order)) for order in (range(5), range(4, -1, -1)))
    assert figures(forth) == figures(back[::-1])


@given(st.lists(st.integers(), max_size=60), st.integers(1, 9))
def test_parts_come_back_in_their_order(parts, n):
    with threads(n) as pool:
        assert list(pool.spread(abs, parts)) == [abs(part) for part in parts]


def test_what_a_part_raises_is_raised_and_the_rest_is_left():
    begun, gate = [], threading.Event()

    def work(part):
        begun.append(part)
        if part == 0:
            raise BadInput("part=0", "must be above 0", "correct it")
        gate.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait, 20)
        made = Pool(executor, 1).spread(work, range(100))
        threading.Timer(0.05, gate.set).start()
        with pytest.raises(BadInput, match="part=0"):
            list(made)
    assert len(begun) < 100


def test_where_nobody_answers_is_told():
    with pytest.raises(Unavailable, match="must be a Dask scheduler"), cluster("nowhere"):
        pass


def test_a_machine_without_dask_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Unavailable, match="anlan\\[cluster\\]"), cluster("tcp://127.0.0.1:1"):
        pass
