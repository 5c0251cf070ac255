"""Lists page by page: whatever is asked, by whomever, no case is lost and none comes twice."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.matters.conftest import AT, Kept
from tests.store.conftest import BOTH, address, postgres  # noqa: F401 - a fixture

from anlan.cases import Action
from anlan.matters import Asked, NewCase, list_cases
from anlan.store import caselists
from anlan.store.caselists import LIGHTS, ORDERS, Query, light_of

AREAS = [f"d-{a}-{b}-{c}-{d}" for a in "we" for b in "sn" for c in "we" for d in "sn"]
SCOPES = [[], ["d"], ["d-w"], ["d-w-s-w"], AREAS[::2], AREAS[:3], ["d-w-s-w-s", "d-e-n-e-n"]]
KINDS = {
    "resident_request": {"kind": "light", "source": "hotline", "what": "路灯不亮"},
    "hazard": {"kind": "water", "source": "patrol"},
    "mediation": {"kind": "rent"},
}


@pytest.fixture(scope="module", params=BOTH)
def full(request, tmp_path_factory):
    """Sixty cases of three types, many of one moment, some moved on, some ended."""
    folder = tmp_path_factory.mktemp("paging")
    made, rng = Kept(folder, address(request, folder)), random.Random(1)
    desk = made.holding("desk", "cases.resident_request.desk", "cases.hazard.patrol", "cases.mediation.registrar")
    for k in range(60):
        type_id, area_id = rng.choice(sorted(KINDS)), rng.choice(AREAS)
        lon, lat = made.pack.areas.area(area_id).polygon.representative_point().coords[0]
        case_id = made.matters.open(NewCase(type_id=type_id, lon=lon, lat=lat, filled=KINDS[type_id]), desk).case_id
        if type_id == "resident_request" and k % 3:
            step = Action(transition="merge", filled={"duplicate_of": "0"}) if k % 2 else Action(transition="assign")
            made.matters.act(case_id, step, desk)
        made.wait(minutes=rng.choice([0, 0, 0, 90]))
    yield made
    made.store.close()


def reader(kept, area_ids):
    held = [kept.holding("r", "cases.mediation.registrar", area=one) for one in area_ids]
    if not held:
        return kept.who("r", "grid_lead", area="nowhere")
    areas = frozenset(area_ids)
    scope = type(held[0].reads)(False, areas)
    roles = {"mediation": tuple(grant for one in held for grant in one.roles.get("mediation", ()))}
    return type(held[0])(actor_id="r", reads=scope, acts=scope, roles=roles)


QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "type_ids": st.sets(st.sampled_from(sorted(KINDS)), min_size=1).map(tuple),
        "states": st.sets(st.sampled_from(["received", "assigned", "duplicate", "found"]), min_size=1).map(tuple),
        "closed": st.booleans(),
        "light": st.sampled_from(LIGHTS),
        "owner_area_id": st.sampled_from(["d-w-s", "d-e-n", "d-w-s-w"]),
        "due_before": st.integers(0, 4000).map(lambda n: AT + timedelta(minutes=n)),
        "changed_from": st.integers(0, 1500).map(lambda n: AT + timedelta(minutes=n)),
        "box": st.sampled_from([(121.4, 31.2, 121.51, 31.236), (121.4, 31.2, 121.51, 31.3)]),
    },
)


def lies_in(box, lon, lat):
    west, south, east, north = box
    return west <= lon <= east and south <= lat <= north


def fits(query, row, at):
    """Tell in Python what the database is asked in SQL."""
    micros = caselists.micros
    box = query.get("box")
    return (
        row["type_id"] in query.get("type_ids", KINDS)
        and row["state"] in query.get("states", [row["state"]])
        and query.get("closed", bool(row["closed"])) == bool(row["closed"])
        and query.get("light", light_of(row, at)) == light_of(row, at)
        and query.get("owner_area_id", row["owner_area_id"]) == row["owner_area_id"]
        and ("due_before" not in query or row["due_at"] < micros(query["due_before"]))
        and ("changed_from" not in query or not row["closed"] or row["changed_at"] >= micros(query["changed_from"]))
        and (
            box is None
            or (row["lat"] is not None and box[1] <= row["lat"] <= box[3] and box[0] <= row["lon"] <= box[2])
        )
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scope=st.sampled_from(SCOPES), query=QUERIES, order=st.sampled_from(sorted(ORDERS)), limit=st.integers(1, 25),
    area=st.sampled_from([None, "d-w", "d-e-n"]),
)  # fmt: skip
def test_pages_together_are_the_whole_list_in_its_order(full, scope, query, order, limit, area):
    who, at = reader(full, scope), full.clock.now()
    told, after = [], ""
    while after is not None:
        page = list_cases(
            full.matters, Asked(query=Query(**query), order=order, after=after, limit=limit, area_id=area), who
        )
        told += [one.row for one in page.cases]
        assert len(told) <= 60
        after = page.next
    with full.store.reading() as connection:
        every = [dict(one) for one in connection.execute(sa.select(caselists.matter)).mappings()]
    sight = full.matters.sight(who)
    wanted = [
        row
        for row in every
        if sight.sees(row) and fits(query, row, at) and (area is None or row["area_id"].startswith(area))
    ]
    column, down = ORDERS[order]
    wanted.sort(key=lambda row: (row[column.name], row["case_no"]), reverse=down)
    assert [row["case_no"] for row in told] == [row["case_no"] for row in wanted]


def test_the_walks_above_see_something_and_not_all(full):
    lengths = {len(list_cases(full.matters, Asked(limit=100), reader(full, scope)).cases) for scope in SCOPES}
    assert min(lengths) == 0
    assert max(lengths) == 60
    assert len(lengths) >= 5


@pytest.mark.parametrize(
    ("query", "scope", "order", "index"),
    [
        (Query(closed=False), ["d"], "due", "matter_by_due_at"),
        (Query(light="none"), AREAS[::2], "changed", "matter_by_changed_at"),
        (Query(states=("ruling",), type_ids=("resident_request",)), ["d"], "opened", "matter_by_opened_at"),
        (Query(post="x"), ["d-w-s-w-s"], "due", "matter_by_rank"),
        (Query(box=(121.4, 31.2, 121.5, 31.205)), ["d"], "changed", "matter_by_lat"),
    ],
)
def test_a_page_is_found_along_the_index_that_holds_what_it_asks(full, query, scope, order, index):
    if full.store._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has statistics, and chooses by itself")
    way = caselists.way(full.matters.sight(reader(full, scope)), query, order, AT)
    assert way.index == index
    told = []
    with full.store.reading() as connection:

        @sa.event.listens_for(connection, "before_cursor_execute")
        def _note(_connection, _cursor, statement, parameters, *_rest):
            told.append((statement, parameters))

        caselists.page(connection, way, order, None, 50)
        statement, parameters = told[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    assert index in plan[0][3], plan
    assert index not in {"matter_by_due_at", "matter_by_changed_at", "matter_by_opened_at"} or len(plan) == 1
