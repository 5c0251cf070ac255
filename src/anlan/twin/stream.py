"""The simulated district as a stream: what is delivered when, and what was true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
from shapely.geometry.base import BaseGeometry

from anlan.kernel.pack import Pack
from anlan.kernel.records import Observation
from anlan.twin.devices import Observer
from anlan.twin.footfall import Surveyor
from anlan.twin.scenario import Scenario
from anlan.twin.walkers import Truth, Twin

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """A simulated minute: what was delivered in it, and the true people in each polygon at its end."""

    at: datetime
    observations: tuple[Observation, ...]
    truth: npt.NDArray[np.float64]
    n_entered: int
    n_left: int
    n_present: int


def simulate(
    pack: Pack,
    scenario: Scenario,
    seed: int,
    begin_at: datetime,
    end_at: datetime,
    polygons: Sequence[BaseGeometry] = (),
) -> Iterator[Minute]:
    """Run a scenario as fast as the machine can, minute by minute, with its truth.

    Parameters
    ----------
    seed : int
        Of the day: who comes, and what chance does to the counts.
    polygons : sequence of geometry
        In degrees; the truth is the people in public space inside each.
    """
    return walk(Twin(pack, scenario, seed, begin_at), seed, end_at, polygons)


def walk(
    twin: Twin,
    seed: int,
    end_at: datetime,
    polygons: Sequence[BaseGeometry] = (),
    *,
    then: tuple[datetime, Scenario] | None = None,
    surveyor: Surveyor | None = None,
) -> Iterator[Minute]:
    """Walk on with a district as it is, minute by minute.

    Parameters
    ----------
    twin : Twin
    seed : int
        Of what chance does to the counts.
    polygons : sequence of geometry
        As for :func:`simulate`.
    then : (datetime, Scenario), optional
        When another day begins, for whoever is there already and those who come.
    surveyor : Surveyor, optional
        Who counts by hand meanwhile.
    """
    observer, truth = Observer(twin.pack, twin, seed), Truth(twin.pack, polygons)
    at = twin.at
    while at < end_at:
        if then is not None and at == then[0]:
            twin.scenario = then[1]
        at += MINUTE
        twin.advance(at, 20.0)
        x, y, public = twin.positions()
        observer.look(at, x, y, public)
        if surveyor is not None:
            local = at.astimezone(twin.zone)
            surveyor.look(local.hour, local.minute, x[public], y[public])
        yield Minute(
            at=at,
            observations=tuple(observer.delivered(at + timedelta(seconds=10))),
            truth=truth.count(x[public], y[public]),
            n_entered=twin.n_entered,
            n_left=int(twin.tally.left[0]),
            n_present=twin.n_present,
        )


def beats(
    pack: Pack, scenario: Scenario, seed: int, begin_at: datetime, every: timedelta = timedelta(seconds=10)
) -> Iterator[tuple[datetime, list[Observation]]]:
    """Return the scenario as a live stream without end: a moment, and what was delivered by then. No truth is in it."""
    twin = Twin(pack, scenario, seed, begin_at)
    observer = Observer(pack, twin, seed)
    at = begin_at
    while True:
        at += every
        twin.advance(at, every.total_seconds())
        if at.timestamp() % 60 == 0:
            observer.look(at, *twin.positions())
        yield at, list(observer.delivered(at))


def record(
    pack: Pack, scenario: Scenario, out: Path, *, seed: int, begin_at: datetime, end_at: datetime
) -> Iterator[tuple[Minute, tuple[Observation, ...]]]:
    """Run a scenario and write ``truth.parquet`` of every place by minute; hand each minute's observations on.

    The caller writes the observations (the simulated district does not know how Anlan keeps them).
    """
    out.mkdir(parents=True, exist_ok=True)
    rows: list[Minute] = []
    for minute in simulate(pack, scenario, seed, begin_at, end_at, [place.polygon for place in pack.places]):
        rows.append(minute)
        yield minute, minute.observations
    moment = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            "at": pa.array([m.at for m in rows], moment),
            "n_entered": pa.array([m.n_entered for m in rows], pa.int64()),
            "n_left": pa.array([m.n_left for m in rows], pa.int64()),
            "n_present": pa.array([m.n_present for m in rows], pa.int64()),
            **{
                f"place:{place.place_id}": pa.array([float(m.truth[k]) for m in rows])
                for k, place in enumerate(pack.places)
            },
        }
    )
    pyarrow.parquet.write_table(table, out / "truth.parquet", compression="zstd")
