import gzip
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.conftest import DEVICES, device, seen

from anlan.ingest import Columns, Reading, read_observations, write_observations
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.records import DeviceKind
from anlan.pack import draft_pack

DATA = Path(os.environ.get("ANLAN_DATA", Path(__file__).parents[3] / "shared" / "data"))
LONG = Columns(time="time", device="id", count="n", time_zone="Australia/Melbourne")


def table(folder, *lines, name="counts.csv"):
    path = folder / name
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def read(path, columns=LONG, devices=DEVICES):
    reading = Reading()
    return list(read_observations(path, devices, columns, reading)), reading


def begins(found):
    return [one.begin_at.strftime("%m-%d %H:%M") for one in found]


@given(st.lists(st.sampled_from(["gate", "passed", "present", "counts"]), min_size=1, max_size=8))
def test_a_recording_comes_back_as_it_was(tmp_path_factory, kinds):
    forms = {
        "gate": {"n_in": 3, "n_out": 0},
        "passed": {"n_passed": 7},
        "present": {"n_present": 0},
        "counts": {"counts": np.array([np.nan, 12.0])},
    }
    sent = [seen(sequence=k, **forms[kind]) for k, kind in enumerate(kinds)]
    path = tmp_path_factory.mktemp("recording") / "r.parquet"
    assert write_observations(sent, path) == len(sent)
    got, reading = read(path, None)
    for one, other in zip(sent, got, strict=True):
        np.testing.assert_array_equal(one.counts, other.counts)
        for name in ("device_id", "begin_at", "end_at", "sequence", "n_in", "n_out", "n_passed", "n_present"):
            assert getattr(one, name) == getattr(other, name)
    assert reading.n_observations == len(sent)


@pytest.mark.parametrize("name", ["counts.csv", "counts.csv.gz"])
def test_local_hours_become_moments(tmp_path, name):
    [one], reading = read(table(tmp_path, "time,id,n", "2013-01-01 00:00,hourly,826", name=name))
    assert (one.begin_at, one.end_at) == (
        datetime(2012, 12, 31, 13, tzinfo=UTC),
        datetime(2012, 12, 31, 14, tzinfo=UTC),
    )
    assert (one.n_passed, reading.n_observations, reading.faults) == (826, 1, [])


def test_the_hour_shown_twice_is_told_apart_by_its_order(tmp_path):
    rows = [f"2012-04-01 0{hour}:00,hourly,1" for hour in (1, 2, 2, 3)]
    found, reading = read(table(tmp_path, "time,id,n", *rows))
    assert begins(found) == ["03-31 14:00", "03-31 15:00", "03-31 16:00", "03-31 17:00"]
    assert (reading.n_ambiguous, reading.n_doubled) == (2, 0)


def test_the_hour_never_shown_is_a_fault_and_counted(tmp_path):
    rows = [f"2012-10-07 0{hour}:00,hourly,1" for hour in (1, 2, 3)]
    found, reading = read(table(tmp_path, "time,id,n", *rows))
    assert begins(found) == ["10-06 15:00", "10-06 16:00"]
    assert reading.n_impossible == 1
    assert len(reading.faults) == 1
    assert (
        "row 3 (hourly): time '2012-10-07 02:00' must exist in Australia/Melbourne; the clock was set"
        in reading.faults[0]
    )


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2012-12-31T23:00:00-05:00", "01-01 04:00"),
        ("2012-12-31 23:00:00-05:00", "01-01 04:00"),
        ("2012-12-31T23:00:00Z", "12-31 23:00"),
        ("2012-12-31 23", "12-31 12:00"),
        ("2012-12-31 9:00", "12-30 22:00"),
        ("2012-12-31 9:00-9:59", "12-30 22:00"),
        ("2012-12-31 09:00 - 09:59", "12-30 22:00"),
        ("2012-12-31 24", "12-31 13:00"),
    ],
)
def test_ways_to_write_a_time(tmp_path, written, at):
    found, reading = read(table(tmp_path, "time,id,n", f"{written},hourly,1"))
    assert (begins(found), reading.faults) == ([at], [])


def test_faults_are_told_by_row_and_do_not_sink_the_others(tmp_path):
    path = table(
        tmp_path,
        "time,id,n",
        "2013-01-01 00:00,hourly,-5",
        "2013-01-01 00:00,hourly,many",
        "2013-01-01 00:00,hourly,1.5",
        "2013-01-01 00:00,hourly,inf",
        "2013-01-01 00:00,hourly,1e12",
        "31/12/2013,hourly,5",
        "2013-01-01 00:00,gate,5",
        "2013-01-01 00:00,grid,5",
        "2013-01-01 00:00,nobody,5",
        "2013-01-01 00:00,hourly,",
        "2013-01-01 00:00,hourly,5.0",
        "2013-01-01 00:00,hourly,6",
    )
    found, reading = read(path)
    assert [one.n_passed for one in found] == [5, 6]
    assert [fault.split(" (")[0] for fault in reading.faults] == [f"counts.csv row {k}" for k in range(2, 10)]
    assert all("must" in fault and "; " in fault for fault in reading.faults)
    assert (reading.n_unknown, reading.n_missing, reading.n_doubled) == (1, 1, 1)


def test_a_wide_table_has_a_column_for_each_device(tmp_path):
    devices = [device(key, DeviceKind.PASSAGE, directed=False, interval_s=3600.0) for key in ("a", "b")]
    path = table(tmp_path, "date,hour,year,a,b", "2019-01-01,6:00-6:59,2019,4,", "2019-01-01,7:00-7:59,2019,,7")
    found, reading = read(path, Columns(date="date", hour="hour", time_zone="Pacific/Auckland"), devices)
    assert [(one.device_id, one.n_passed) for one in found] == [("a", 4), ("b", 7)]
    assert reading.n_missing == 2
    assert reading.faults == ["column 'year' must be a device of the district; it was passed over."]


def test_a_device_may_be_called_by_its_name(tmp_path):
    there = device("1", DeviceKind.AREA)
    found, _ = read(table(tmp_path, "time,id,n", "2013-01-01 00:00,1,5"), LONG, [there])
    assert [(one.device_id, one.n_present) for one in found] == [("1", 5)]


def test_a_name_that_two_devices_share_is_nobodys(tmp_path):
    twins = [replace(device(key, DeviceKind.GATE), name={"en": "Gate"}) for key in ("north", "south")]
    path = table(tmp_path, "time,id,n,m", "2026-12-31 10:00,Gate,5,3", "2026-12-31 10:00,south,6,2")
    found, reading = read(path, Columns(time="time", device="id", n_in="n", n_out="m"), twins)
    assert [(one.device_id, one.n_in) for one in found] == [("south", 6)]
    assert "call it by its id" in reading.faults[0]


@pytest.mark.parametrize(
    "written", ["2026-12-31 99:00", "2026-12-31 23:75", "2026-12-31 24:30", "0001-01-01 00:00", "9999-12-31 23:00"]
)
def test_an_hour_that_no_clock_shows_is_a_fault(tmp_path, written):
    found, reading = read(table(tmp_path, "time,id,n", f"{written},sum,5"))
    assert found == []
    assert "must be" in reading.faults[0]


def test_directions_come_from_two_columns(tmp_path):
    path = table(tmp_path, "time,id,a,b", "2013-01-01 00:00,gate,5,3", "2013-01-01 00:00,hourly,5,3")
    found, reading = read(path, Columns(time="time", device="id", n_in="a", n_out="b"))
    assert [(one.device_id, one.n_in, one.n_out) for one in found] == [("gate", 5, 3)]
    assert "device 'hourly' must be told by a count" in reading.faults[0]


def test_a_foreign_parquet_is_read_by_its_columns(tmp_path):
    path = tmp_path / "counts.parquet"
    at = pa.array([datetime(2013, 1, 1, 10, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    pyarrow.parquet.write_table(pa.table({"time": at, "id": ["hourly"], "n": [5]}), path)
    [one], _ = read(path)
    assert (one.begin_at, one.n_passed) == (datetime(2013, 1, 1, 10, tzinfo=UTC), 5)


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        (Columns(time="when", device="id", count="n"), "must be one of time, id, n"),
        (Columns(time="time", device="id"), "must name a count"),
        (Columns(device="id", count="n"), "must name a time, or a date and an hour"),
        (Columns(time="time", device="id", count="n", time_zone="Mars"), "must be an IANA time zone"),
        (Columns(time="time"), "must name a device and a count, or be named after devices"),
        (None, "must be described by its columns"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path, columns, rule):
    with pytest.raises(BadInput, match=rule):
        read(table(tmp_path, "time,id,n", "2013-01-01 00:00,hourly,5"), columns)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.csv", b""),
        ("a.csv", b"\xff\xfe\x00\x01,\x00\n\x00"),
        ("a.csv", b"time,id,n\n1,2\n"),
        ("a.csv", b"time,id,n,n\n1,2,3,4\n"),
        ("a.csv.gz", b"no gzip"),
        ("a.parquet", b"no parquet"),
    ],
)
def test_what_is_no_table_is_bad_input(tmp_path, name, raw):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(BadInput):
        read(tmp_path / name, None if name.endswith("parquet") else LONG)


def test_a_recording_that_is_none_or_faulty_is_told(tmp_path):
    path = tmp_path / "r.parquet"
    pyarrow.parquet.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(BadInput, match="must be a recording of Anlan's"):
        read(path, None)
    write_observations([seen(), seen(sequence=1)], path)
    found = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(found.set_column(4, "n_in", pa.array([-1, 5], pa.int32())), path)
    [one], reading = read(path, None)
    assert one.sequence == 1
    assert "row 1: in=-1 must be >= 0 people" in reading.faults[0]


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        read(tmp_path / "none.csv")


def real(city, counters, time_zone, columns, folder):
    given_in = DATA / f"{city}_pedestrians"
    if not given_in.is_dir():
        pytest.skip(f"real counts are not here: set ANLAN_DATA to the folder that holds {given_in.name}")
    pack = draft_pack(given_in / counters, folder / "pack", city, time_zone)
    return read(given_in / "hourly_counts.csv.gz", columns, pack.devices)


@pytest.mark.slow
def test_melbourne_is_read_whole(tmp_path):
    columns = Columns(time="time", device="sensor_id", count="count", time_zone="Australia/Melbourne")
    found, reading = real("melbourne", "sensors.csv", "Australia/Melbourne", columns, tmp_path)
    assert reading.n_observations + reading.n_impossible == 342_248
    assert (reading.n_missing, reading.n_unknown, reading.n_doubled) == (0, 0, 0)
    assert len(reading.faults) == reading.n_impossible == 18
    new_year = [one for one in found if one.end_at == datetime(2012, 12, 31, 13, tzinfo=UTC)]
    assert sum(one.n_passed for one in new_year) > 10_000


@pytest.mark.slow
def test_auckland_is_read_whole_with_its_dirt_told(tmp_path):
    columns = Columns(date="date", hour="hour", time_zone="Pacific/Auckland")
    found, reading = real("auckland", "locations.csv", "Pacific/Auckland", columns, tmp_path)
    assert reading.n_observations + reading.n_missing + reading.n_impossible == 61_367 * 21
    assert reading.n_doubled == 6 * 21
    assert max(one.n_passed for one in found) == 5226
    first = min(found, key=lambda one: one.begin_at)
    assert first.begin_at == datetime(2018, 12, 31, 11, tzinfo=UTC)
    assert all(one.end_at - one.begin_at == timedelta(hours=1) for one in found)
    assert reading.n_ambiguous > 0
