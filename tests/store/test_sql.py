from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.records import Draft
from anlan.store import SqlStore
from anlan.store.checks import STORE_CHECKS

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


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite"])
def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(BadInput, match="must be a sqlite"):
        SqlStore.open(url)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(Unavailable, match="must exist and be writable"):
        SqlStore.open(f"sqlite:///{tmp_path}/nowhere/records.db")


bodies = st.none() | st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | st.text(max_size=9), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
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
