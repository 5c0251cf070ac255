import os
import re
import socket
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.records import Draft
from anlan.store import SqlStore
from anlan.store.checks import STORE_CHECKS
from anlan.store.sql import APPEND_LOCK

AT = datetime(2026, 12, 31, 10, tzinfo=UTC)


def put(record_id, body, version=None):
    return Draft(kind="watch", record_id=record_id, action="put", actor="desk", body=body, expected_version=version)


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_the_store_keeps_its_contract(store, check):
    check(store)


def tamper(store, sql):
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text("DROP TRIGGER change_no_update"))
        else:
            connection.execute(sa.text("DROP TRIGGER change_append_only ON change"))
        connection.exec_driver_sql(sql)
    engine.dispose()


def test_the_log_refuses_to_be_rewritten(store):
    store.apply([put("a", {"k": 1})], at=AT)
    engine = sa.create_engine(store.url)
    for sql in ("UPDATE change SET body = '{}'", "DELETE FROM change"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text(sql))
    engine.dispose()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE change SET body = '{\"k\":2}' WHERE change_id = 2", "change 2 was altered"),
        ("UPDATE change SET actor = 'desl' WHERE change_id = 3", "change 3 was altered"),
        ("UPDATE record SET body = '{\"k\":9}' WHERE record_id = '1'", "is not what the log says"),
    ],
)
def test_one_altered_byte_is_found_and_named(store, sql, told):
    for k in range(4):
        store.apply([put(str(k), {"k": k})], at=AT)
    tamper(store, sql)
    audit = store.verify()
    assert not audit.ok
    assert told in audit.fault


def test_a_store_opened_again_goes_on(store):
    store.apply([put("a", {"k": 1})], at=AT)
    again = SqlStore.open(store.url)
    again.apply([put("b", {"k": 2})], at=AT)
    assert [c.change_id for c in again.changes()] == [1, 2]
    assert again.verify().ok
    again.close()


def test_a_newer_schema_is_refused(store):
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'z999'"))
    engine.dispose()
    with pytest.raises(Unavailable, match="start the newer Anlan"):
        SqlStore.open(store.url)


@pytest.mark.parametrize("place", ["in the log", "in the current state"])
def test_one_byte_altered_in_the_file_is_found(tmp_path, place):
    path = tmp_path / "records.db"
    opened = SqlStore.open(f"sqlite:///{path}")
    for k in range(5):
        opened.apply([put(str(k), {"name": f"needle-{k}"})], at=AT)
    opened.close()
    content = path.read_bytes()
    wheres = [found.start() for found in re.finditer(b"needle-3", content)]
    assert len(wheres) == 2
    faults = {}
    for where in wheres:
        path.write_bytes(content[:where] + b"N" + content[where + 1 :])
        again = SqlStore.open(f"sqlite:///{path}")
        audit = again.verify()
        again.close()
        assert not audit.ok
        faults["in the log" if audit.broken_at else "in the current state"] = audit
    assert (faults[place].broken_at, place) in {(4, "in the log"), (None, "in the current state")}


@pytest.mark.parametrize("url", ["mysql://x:secret@y/z", "nonsense", "sqlite", "x:secret@y", ""])
def test_an_address_of_another_kind_is_refused_without_showing_a_password(url):
    with pytest.raises(BadInput, match="must be a sqlite") as told:
        SqlStore.open(url)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_that_would_forget_is_refused(url):
    with pytest.raises(BadInput, match="must name a file"):
        SqlStore.open(url)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(Unavailable, match="must exist and be writable"):
        SqlStore.open(f"sqlite:///{tmp_path}/nowhere/records.db")


def test_a_file_of_another_kind_is_told(tmp_path):
    (tmp_path / "records.db").write_text("name,count\n" * 1000)
    with pytest.raises(Unavailable, match="this one holds something else"):
        SqlStore.open(f"sqlite:///{tmp_path}/records.db")


def test_a_folder_with_any_name_is_fine(tmp_path):
    folder = tmp_path / "50% 外滩 'x'"
    folder.mkdir()
    opened = SqlStore.open(f"sqlite:///{folder}/records.db")
    opened.apply([put("a", {})], at=AT)
    assert opened.verify().ok
    opened.close()


def test_a_server_that_is_away_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever comes is refused
        with pytest.raises(Unavailable, match="start the database server"):
            SqlStore.open(f"postgresql://anlan:secret@127.0.0.1:{taken.getsockname()[1]}/anlan")


def test_a_database_that_somebody_holds_is_told(store):
    patient = SqlStore.open(store.url, patience_s=0.2)
    engine = sa.create_engine(store.url)
    with engine.connect() as other:
        if engine.dialect.name == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            other.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPEND_LOCK})
        with pytest.raises(Unavailable, match="end the other program that writes to it"):
            patient.apply([put("a", {})], at=AT)
        assert patient.records("watch") == []
        other.rollback()
    patient.apply([put("a", {})], at=AT)
    assert len(patient.records("watch")) == 1
    engine.dispose()
    patient.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as another user")
def test_a_store_that_one_may_only_read_is_told(tmp_path):
    SqlStore.open(f"sqlite:///{tmp_path}/records.db").close()
    for path in (tmp_path, *tmp_path.parents[:3]):  # with workers there is one folder more
        path.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(Unavailable, match="give this user write permission"):
            SqlStore.open(f"sqlite:///{tmp_path}/records.db")
    finally:
        os.seteuid(0)


bodies = st.none() | st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | st.text(max_size=9), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abc"), bodies), max_size=20))
def test_whatever_is_written_the_state_is_the_fold_of_the_log(tmp_path_factory, steps):
    opened = SqlStore.open(f"sqlite:///{tmp_path_factory.mktemp('s')}/records.db")
    current = {}
    for record_id, body in steps:
        if body is None and record_id not in current:
            continue
        version = current.get(record_id, (None, None))[0]
        made = opened.apply([put(record_id, body, version)], at=AT)[0]
        if body is None:
            del current[record_id]
        else:
            current[record_id] = (made.version, body)
    assert {r.record_id: (r.version, r.body) for r in opened.records("watch")} == current
    assert opened.verify().ok
    opened.close()
