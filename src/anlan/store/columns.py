"""Records to columns and back: the shapes of the history's tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from anlan.kernel.ingress import Refusal, Tally, Verdict
from anlan.kernel.records import Estimate, Observation, UnknownReason

Key = tuple[str, int, int]
"""What makes an observation the same one: device, end of its window (µs), sequence."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us")

SCHEMA = """
CREATE TABLE IF NOT EXISTS observation (
    arrival BIGINT, device_id VARCHAR, begin_at TIMESTAMP, end_at TIMESTAMP, sequence BIGINT,
    n_in INTEGER, n_out INTEGER, n_passed INTEGER, n_present INTEGER, counts FLOAT[], received_at TIMESTAMP);
CREATE TABLE IF NOT EXISTS tally (
    device_id VARCHAR PRIMARY KEY, n_accepted BIGINT, n_late BIGINT, n_out_of_order BIGINT, n_duplicate BIGINT,
    n_refused BIGINT, refused_by_code VARCHAR, last_end_at TIMESTAMP, last_received_at TIMESTAMP);
CREATE TABLE IF NOT EXISTS refusal (made_at TIMESTAMP, device_id VARCHAR, code VARCHAR, message VARCHAR);
CREATE TABLE IF NOT EXISTS step (made_at TIMESTAMP, low BIGINT, high BIGINT);
CREATE TABLE IF NOT EXISTS state (made_at TIMESTAMP, low BIGINT, high BIGINT, body BLOB);
CREATE TABLE IF NOT EXISTS judged (made_at TIMESTAMP, body BLOB);
CREATE TABLE IF NOT EXISTS occupancy (made_at TIMESTAMP, cell INTEGER, persons FLOAT);
CREATE TABLE IF NOT EXISTS estimate (
    made_at TIMESTAMP, subject_id VARCHAR, walkable_m2 DOUBLE, occupancy DOUBLE, sd DOUBLE, low DOUBLE, high DOUBLE,
    level DOUBLE, density_per_m2 DOUBLE, level_of_service VARCHAR, freshness_s DOUBLE, hidden BOOLEAN,
    unknown VARCHAR);
CREATE TABLE IF NOT EXISTS weather (
    hour_at TIMESTAMP, issued_at TIMESTAMP, known_at TIMESTAMP, rain_mm DOUBLE, temperature_c DOUBLE);
CREATE TABLE IF NOT EXISTS sealed (day DATE);
"""

_SCALARS = ("n_in", "n_out", "n_passed", "n_present")
_ESTIMATE = (
    "walkable_m2",
    "occupancy",
    "sd",
    "low",
    "high",
    "level",
    "density_per_m2",
    "level_of_service",
    "freshness_s",
    "hidden",
)
_WORDS = {"level_of_service": pa.string(), "hidden": pa.bool_()}


def naive(at: datetime) -> datetime:
    """Return the moment in UTC without its zone, as the tables keep it."""
    return at.astimezone(UTC).replace(tzinfo=None)


def micros(at: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (at - EPOCH) // timedelta(microseconds=1)


def key_of(seen: Observation) -> Key:
    """Return what makes this observation the same as another."""
    return (seen.device_id, micros(seen.end_at), seen.sequence)


def key_table(seen: Sequence[Observation]) -> pa.Table:
    """Return what makes observations the same as others, as rows."""
    return pa.table(
        {
            "device_id": pa.array([s.device_id for s in seen]),
            "end_at": pa.array([naive(s.end_at) for s in seen], MOMENT),
            "sequence": pa.array([s.sequence for s in seen], pa.int64()),
        }
    )


def observation_table(seen: Sequence[Observation], arrival: int, received_at: datetime) -> pa.Table:
    """Return observations as rows; the first has the arrival after ``arrival``."""
    n = len(seen)
    counts = [None if s.counts is None else np.asarray(s.counts, np.float32) for s in seen]
    return pa.table(
        {
            "arrival": pa.array(range(arrival + 1, arrival + n + 1), pa.int64()),
            "device_id": pa.array([s.device_id for s in seen]),
            "begin_at": pa.array([naive(s.begin_at) for s in seen], MOMENT),
            "end_at": pa.array([naive(s.end_at) for s in seen], MOMENT),
            "sequence": pa.array([s.sequence for s in seen], pa.int64()),
            **{name: pa.array([getattr(s, name) for s in seen], pa.int32()) for name in _SCALARS},
            "counts": pa.array(counts, pa.list_(pa.float32())),
            "received_at": pa.array([naive(received_at)] * n, MOMENT),
        }
    )


def observations_from(rows: pa.Table) -> list[Observation]:
    """Return the observations of rows."""
    column = {name: rows.column(name).to_pylist() for name in rows.column_names if name != "counts"}
    lists = rows.column("counts")
    return [
        Observation(
            device_id=column["device_id"][k],
            begin_at=column["begin_at"][k].replace(tzinfo=UTC),
            end_at=column["end_at"][k].replace(tzinfo=UTC),
            sequence=column["sequence"][k],
            counts=np.asarray(lists[k].values, float) if lists[k].is_valid else None,
            **{name: column[name][k] for name in _SCALARS},
        )
        for k in range(rows.num_rows)
    ]


def refusal_table(refusals: Sequence[Refusal], at: datetime) -> pa.Table:
    """Return refusals as rows."""
    return pa.table(
        {
            "made_at": pa.array([naive(at)] * len(refusals), MOMENT),
            "device_id": pa.array([r.device_id for r in refusals], pa.string()),
            "code": pa.array([str(r.code) for r in refusals]),
            "message": pa.array([r.message for r in refusals]),
        }
    )


def tally_table(tallies: Sequence[Tally]) -> pa.Table:
    """Return tallies as rows."""
    ints = ("n_accepted", "n_late", "n_out_of_order", "n_duplicate", "n_refused")
    moments = ("last_end_at", "last_received_at")
    return pa.table(
        {
            "device_id": pa.array([t.device_id for t in tallies]),
            **{name: pa.array([getattr(t, name) for t in tallies], pa.int64()) for name in ints},
            "refused_by_code": pa.array([json.dumps(t.refused_by_code, sort_keys=True) for t in tallies]),
            **{
                name: pa.array([None if (at := getattr(t, name)) is None else naive(at) for t in tallies], MOMENT)
                for name in moments
            },
        }
    )


def tallies_from(rows: Sequence[dict[str, Any]], newest: Mapping[str, Observation]) -> dict[str, Tally]:
    """Return tallies by device id."""
    found = {}
    for row in rows:
        moments = {
            name: at.replace(tzinfo=UTC) if isinstance(at := row[name], datetime) else None
            for name in ("last_end_at", "last_received_at")
        }
        codes = json.loads(str(row["refused_by_code"]))
        device_id = str(row["device_id"])
        tally = {**row, **moments, "refused_by_code": codes, "last": newest.get(device_id)}
        found[device_id] = Tally(**tally)
    return found


def tallied(tally: Tally | None, seen: Observation, verdict: Verdict, received_at: datetime) -> Tally:
    """Return the tally with one more observation."""
    tally = tally or Tally(device_id=seen.device_id)
    if verdict is Verdict.DUPLICATE:
        return replace(tally, n_duplicate=tally.n_duplicate + 1, last_received_at=received_at)
    newest = tally.last_end_at is None or seen.end_at >= tally.last_end_at
    return replace(
        tally,
        n_accepted=tally.n_accepted + 1,
        n_late=tally.n_late + (verdict is Verdict.LATE),
        n_out_of_order=tally.n_out_of_order + (verdict is Verdict.OUT_OF_ORDER),
        last_received_at=received_at,
        last_end_at=seen.end_at if newest else tally.last_end_at,
        last=seen if newest else tally.last,
    )


def refused(tally: Tally | None, refusal: Refusal) -> Tally:
    """Return the tally with one more refusal."""
    tally = tally or Tally(device_id=refusal.device_id or "")
    codes = {**tally.refused_by_code, str(refusal.code): tally.refused_by_code.get(str(refusal.code), 0) + 1}
    return replace(tally, n_refused=tally.n_refused + 1, refused_by_code=codes)


def estimate_table(at: datetime, estimates: Mapping[str, Estimate]) -> pa.Table:
    """Return one minute's estimates as rows."""
    made = list(estimates.values())
    return pa.table(
        {
            "made_at": pa.array([naive(at)] * len(made), MOMENT),
            "subject_id": pa.array(list(estimates)),
            **{name: pa.array([getattr(e, name) for e in made], _WORDS.get(name, pa.float64())) for name in _ESTIMATE},
            "unknown": pa.array([None if e.unknown is None else str(e.unknown) for e in made], pa.string()),
        }
    )


def estimates_from(rows: pa.Table) -> list[Estimate]:
    """Return the estimates of rows."""
    return [
        Estimate(
            at=row["made_at"].replace(tzinfo=UTC),
            unknown=None if row["unknown"] is None else UnknownReason(row["unknown"]),
            **{name: row[name] for name in _ESTIMATE},
        )
        for row in rows.to_pylist()
    ]


def occupancy_table(at: datetime, persons: npt.NDArray[np.float32]) -> pa.Table:
    """Return one minute's cells as rows, to a tenth of a person (it halves the file)."""
    n = len(persons)
    return pa.table(
        {
            "made_at": pa.array(np.full(n, np.datetime64(naive(at), "us"))),
            "cell": pa.array(np.arange(n, dtype=np.int32)),
            "persons": pa.array(np.round(persons.astype(np.float32), 1)),
        }
    )


def occupancies_from(
    rows: pa.Table, cells: npt.NDArray[np.int64] | None
) -> tuple[list[datetime], npt.NDArray[np.float32]]:
    """Return times and the matrix (time, cell) of rows."""
    at = rows.column("made_at").to_numpy()
    cell = rows.column("cell").to_numpy()
    times, row = np.unique(at, return_inverse=True)
    if cells is None:
        n, column = (int(cell.max()) + 1 if len(cell) else 0), cell
    else:
        order = np.argsort(cells)
        n, column = len(cells), order[np.searchsorted(cells, cell, sorter=order)]
    persons = np.full((len(times), n), np.nan, np.float32)
    persons[row, column] = rows.column("persons").to_numpy()
    return [EPOCH + timedelta(microseconds=int(t)) for t in times.astype("datetime64[us]").astype(np.int64)], persons
