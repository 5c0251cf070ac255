import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.matters.conftest import Kept, five_levels, ground_point, tall_pack
from tests.matters.test_keeping import HOME, opened

from anlan.cases import Action
from anlan.kernel.access import Scope
from anlan.kernel.errors import BadInput, NotFound
from anlan.matters import Asked, NewCase, list_cases
from anlan.matters.ground import Ground
from anlan.store.caselists import Query

TREE = five_levels()
GROUND = Ground(TREE)
NAMES = [one.area_id for one in TREE]


def request_at(**filled):
    told = {"kind": "light", "source": "hotline", "what": "x"} | filled
    return NewCase(type_id="resident_request", area_id=HOME, filled=told)


def test_a_point_leads_through_every_level(lite):
    lon, lat = ground_point(HOME)
    way = lite.matters.route(NewCase(type_id="resident_request", lon=lon, lat=lat, filled={"kind": "light"}))
    assert list(way.areas.values()) == ["d", "d-w", "d-w-s", "d-w-s-w", "d-w-s-w-s"]
    assert (way.owner_level, way.owner_area_id) == ("grid", "d-w-s")


def test_random_points_lie_in_the_area_that_is_told(lite):
    rng, (west, south, east, north) = random.Random(1), TREE.root.polygon.bounds
    for _ in range(300):
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        way = lite.matters.route(NewCase(type_id="hazard", lon=lon, lat=lat))
        assert {level: TREE.at(lon, lat, level).area_id for level in way.areas} == dict(way.areas)


@given(names=st.sets(st.sampled_from(NAMES)), where=st.sampled_from(NAMES))
def test_ranges_and_the_tree_agree_on_what_a_scope_covers(names, where):
    lies = {area.area_id for area in TREE.path(where)}
    within = any(low <= GROUND.rank(where) <= high for low, high in GROUND.ranges(names))
    below = {one for name in names for one in NAMES if name in {area.area_id for area in TREE.path(one)}}
    assert within == bool(lies & set(names))
    assert within == Scope(False, frozenset(below)).covers([where])
    assert GROUND.ranges(names) == GROUND.ranges(below)


def test_the_first_rule_that_fits_decides_and_each_is_told(lite):
    way = lite.matters.route(request_at(kind="safety"))
    assert (way.owner_level, way.owner_area_id, way.rule.rule_id) == ("street", "d-w", "safety-to-street")
    usual = lite.matters.route(request_at())
    assert usual.rule is None
    assert [one.missed for one in usual.weighed] == ["not so: kind == 'safety'"]
    unknown = lite.matters.route(NewCase(type_id="resident_request", area_id=HOME))
    assert unknown.weighed[0].missed == "cannot tell whether kind == 'safety'"


def test_a_district_has_rules_of_its_own(tmp_path):
    (tmp_path / "routing.toml").write_text(
        """
        [[rule]]
        id = "lamps"
        type = "resident_request"
        areas = ["d-w"]
        when = "kind == 'light'"
        level = "committee"
        post = "lamp-works"
        because = { zh = "路灯", en = "lamps" }
        """
    )
    made = Kept(tmp_path, f"sqlite:///{tmp_path}/records.db", tall_pack(folder=tmp_path))
    opened(made)
    made.matters.open(
        NewCase(type_id="resident_request", area_id="d-e-n-e-n", filled=request_at().filled),
        made.who("desk", "intake_desk"),
    )
    found = list_cases(made.matters, Asked(query=Query(post="lamp-works")), made.who("c", "commander")).cases
    assert [(one.row["owner_area_id"], one.row["area_id"]) for one in found] == [("d-w-s-w", HOME)]
    made.store.close()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('level = "village"', "village"),
        ('areas = ["atlantis"]', "atlantis"),
        ("when = \"colour == 'red'\"", "colour"),
        ('when = "kind =="', "guard"),
    ],
)
def test_a_rule_that_can_never_hold_is_refused_at_the_start(tmp_path, line, told):
    text = f'[[rule]]\nid = "x"\ntype = "hazard"\n{line}\nbecause = {{ zh = "x", en = "x" }}\n'
    (tmp_path / "routing.toml").write_text(text)
    with pytest.raises(BadInput, match=told):
        Kept(tmp_path, f"sqlite:///{tmp_path}/records.db", tall_pack(folder=tmp_path))


def test_a_ruling_remembers_no_free_text(tmp_path):
    (tmp_path / "routing.toml").write_text(
        '[[ruling]]\ntype = "resident_request"\nstep = "rule"\nfield = "ruling"\nalike = ["what"]\n'
        'within = "street"\nlevels = { grid = "grid" }\n'
    )
    with pytest.raises(BadInput, match="must be a choice that the type keeps"):
        Kept(tmp_path, f"sqlite:///{tmp_path}/records.db", tall_pack(folder=tmp_path))


def test_two_refusals_go_to_a_joint_ruling_that_is_remembered(kept):
    desk, street = kept.who("desk", "intake_desk"), kept.who("street", "street_lead", area="d-w")
    case_id = opened(kept)
    for name in ("first", "second"):
        kept.matters.act(case_id, Action(transition="assign"), desk)
        refusal = Action(transition="refuse", note="not ours")
        kept.matters.act(case_id, refusal, kept.who(name, "grid_lead", area="d-w-s"))
    kept.matters.act(case_id, Action(transition="confer"), desk)
    ruling = Action(transition="rule", filled={"ruling": "street"}, note="the street does it from now on")
    kept.matters.act(case_id, ruling, street)
    ruled = kept.matters.read(case_id, desk)
    assert (ruled.row["owner_level"], ruled.row["owner_area_id"]) == ("street", "d-w")
    kept.again()
    way = kept.matters.route(request_at())
    assert (way.owner_level, way.rule.case_id) == ("street", case_id)
    assert kept.matters.route(request_at(kind="road")).owner_level == "grid"
    elsewhere = NewCase(type_id="resident_request", area_id="d-e-n-e-n", filled={"kind": "light"})
    assert kept.matters.route(elsewhere).owner_level == "grid"
    assert "from now on" not in str(kept.store.kept("routing_rule")) + str(kept.store.changes())
    kept.matters.forget_rule(way.rule.rule_id, "desk")
    assert kept.matters.route(request_at()).owner_level == "grid"
    with pytest.raises(NotFound):
        kept.matters.forget_rule(way.rule.rule_id, "desk")
