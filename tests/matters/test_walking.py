"""Random walks through the store: what the engine promises holds for what is kept, too."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cases.walking import action_for, values_of
from tests.matters.conftest import AT, PLAYED, Kept, picture
from tests.matters.test_keeping import HOME

from anlan.cases import OPEN, Facts, applied
from anlan.cases.machine import Case
from anlan.kernel.access import Actor, Grant
from anlan.kernel.errors import AnlanError
from anlan.matters import NewCase, standing

KINDS = list(PLAYED)
PEOPLE = ("a", "b", "c")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walks")
    made = Kept(folder, f"sqlite:///{folder}/records.db")
    made.files = {one: made.matters.room.put(picture("any"), one) for one in PEOPLE}
    yield made
    made.store.close()


def somebody(house, name, type_id, role):
    rights = frozenset({"cases.read", "cases.act", f"cases.{type_id}.{role}"})
    grant = Grant(role_id="", area_id="d", from_at=AT, office_id=f"office of {name}")
    return standing(house.access, Actor(actor_id=name, grants=(grant,), rights=rights), AT)


def kept_case(house, case_id):
    with house.store.reading() as connection:
        return house.matters.load(connection, case_id)[1]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type_id)
@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)  # fmt: skip
@given(choice=st.data())
def test_no_sequence_of_actions_through_the_store_leaves_the_procedure(house, kind, choice):
    draw = choice.draw
    house.clock.set(AT)
    filled = {name: draw(values_of(kind, one)) for name, one in kind.fields.items() if one.required}
    first = somebody(house, "a", kind.type_id, min(kind.opened_by))
    new = NewCase(type_id=kind.type_id, area_id="d" if kind.entry_level == "district" else HOME, filled=filled)
    case_id, before = house.matters.open(new, first).case_id, None
    for _ in range(draw(st.integers(0, 12))):
        house.wait(minutes=draw(st.integers(0, 20_000)))
        before = kept_case(house, case_id)
        steps = kind.steps_from(before.state) if draw(st.integers(0, 5)) else tuple(kind.transitions.values())
        if not steps:
            break
        step = draw(st.sampled_from(steps))
        role = draw(st.sampled_from(sorted(step.roles if draw(st.integers(0, 5)) else set(kind.roles))))
        name = draw(st.sampled_from(PEOPLE))
        action = action_for(draw, kind, step.transition_id, step.fills, step.evidence, draw(st.integers(0, 5)))
        evidence = stored(house, name, kind, action)
        lines = len(house.store.changes(kind="case", limit=100_000))
        try:
            house.matters.act(case_id, dataclasses.replace(action, evidence=evidence),
                              somebody(house, name, kind.type_id, role))  # fmt: skip
        except AnlanError:
            assert kept_case(house, case_id) == before
            assert len(house.store.changes(kind="case", limit=100_000)) == lines
            continue
        after = kept_case(house, case_id)
        assert after.history[:-1] == before.history
        assert after == applied(before, after.history[-1])
        assert len(house.store.changes(kind="case", limit=100_000)) == lines + 1
    follows(kind, kept_case(house, case_id))


def stored(house, name, kind, action):
    """Return the evidence of an action as files that its actor has stored."""
    found = {}
    for k, one in enumerate(action.evidence):
        found[one] = house.matters.room.put(picture(f"{name} {kind.type_id} {one} {k}"), name)
    return found


def follows(kind, case: Case):
    """Hold a kept history against its type: states, gates, four eyes, evidence, guards."""
    assert {gate.transition for gate in kind.gates}.isdisjoint(one.transition for one in case.history)
    values, given_files, times, done = {}, set(), {}, []
    for k, one in enumerate(case.history):
        values |= one.filled
        given_files |= set(one.evidence)
        if k:
            step = kind.transitions[one.transition]
            assert one.source == case.history[k - 1].target
            assert one.source in step.sources
            assert one.target == step.target
            assert set(step.evidence) <= set(one.evidence)
            assert not step.note or one.note
            assert not any(name in step.other_than and actor == one.actor_id for name, actor in done)
            assert step.guard is None or step.guard.holds(Facts(values, frozenset(given_files), times)) is True
        times[one.transition] = times.get(one.transition, 0) + 1
        done.append((one.transition, one.actor_id))
    assert values == dict(case.values)
    assert case.history[0].transition == OPEN
