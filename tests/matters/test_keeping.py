import threading

import pytest
from tests.cases.walking import rank_of
from tests.matters.conftest import PLAYED, Kept, ground_point, tall_pack
from tests.matters.playing import Player

from anlan.cases import OPEN, Action
from anlan.cases.definition import FieldKind
from anlan.cases.library import shipped_text
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotAllowed, NotFound
from anlan.matters import Asked, NewCase, kinds, list_cases

EACH = pytest.mark.parametrize("type_id", [one.type_id for one in PLAYED])
HOME = "d-w-s-w-s"
WORDS = {
    FieldKind.TEXT: lambda _: "words",
    FieldKind.CHOICE: lambda one: min(one.options),
    FieldKind.BOOLEAN: lambda _: True,
    FieldKind.INTEGER: lambda one: int(one.least or 1),
    FieldKind.NUMBER: lambda one: one.least or 1.0,
    FieldKind.DATE: lambda _: "2026-05-01",
}


def words_of(kind, one):
    """Something to fill a field with; moments one after the other, as their type wants them."""
    if one.kind is FieldKind.MOMENT:
        return f"2026-05-01T{8 + rank_of(kind, one):02}:00:00+08:00"
    return WORDS[one.kind](one)


def person(kept, kind, by, role, level, unit):
    """Somebody who holds one role of a type in the area of a level above the case."""
    areas = kept.matters.ground.lies(HOME)
    who = kept.holding(by, f"cases.{kind.type_id}.{role}", area=areas[level or kind.entry_level])
    grants = tuple(
        type(one)(role_id=one.role_id, area_id=one.area_id, from_at=one.from_at, office_id=unit or by)
        for one in who.roles[kind.type_id]
    )
    return type(who)(actor_id=by, reads=who.reads, acts=who.acts, roles={kind.type_id: grants})


class StorePlayer(Player):
    """Plays through the store: each person holds one role, for one unit."""

    def __init__(self, kept):
        self.kept = kept

    def do(self, kind, k, played, parent_id):
        trial = kind.example[k]
        self.kept.clock.set(trial.at)
        level = "district" if parent_id else trial.level
        who = person(self.kept, kind, trial.by, trial.role, level, trial.unit)
        evidence = {name: self.kept.photo(who, f"{name}{k}") for name in trial.evidence}
        try:
            if trial.do == OPEN:
                new = NewCase(
                    type_id=kind.type_id, area_id=HOME, filled=trial.filled, evidence=evidence, note=trial.note,
                    parent_id=parent_id,
                )  # fmt: skip
                made = self.kept.matters.open(new, who)
            else:
                action = Action(transition=trial.do, filled=trial.filled, evidence=evidence, note=trial.note)
                made = self.kept.matters.act(played.case_id, action, who)
        except AnlanError as fault:
            return fault.code
        played.case_id, played.state = made.case_id, made.state
        return ""

    def link(self, kind, at, played, other_id):
        self.kept.clock.set(at)
        who = person(self.kept, kind, "drafter", min(kind.opened_by), "district", "")
        assert self.kept.matters.link(played.case_id, other_id, who).case_id == played.case_id


def play(kept, type_id, until=None):
    """Play a type's example through the store, up to a state; return the case, and what became of each line."""
    played = StorePlayer(kept).play(kept.matters.kinds.current(type_id), until)
    return played.case_id, played.codes


def opened(kept, **filled):
    told = {"kind": "light", "source": "hotline", "what": "弄堂口两盏路灯不亮"} | filled
    new = NewCase(type_id="resident_request", area_id=HOME, filled=told)
    return kept.matters.open(new, kept.who("desk", "intake_desk")).case_id


@EACH
def test_the_example_of_every_type_goes_through_the_store_as_it_is_written(kept, type_id):
    case_id, codes = play(kept, type_id)
    assert codes == [one.refused for one in kept.matters.kinds.current(type_id).example]
    last = [one for one in kept.matters.kinds.current(type_id).example if one.state][-1]
    with kept.store.reading() as connection:
        case = kept.matters.load(connection, case_id)[1]
    assert case.state == last.state
    assert kept.store.verify().ok


def test_state_and_line_are_one(kept):
    case_id = opened(kept)
    assert [one.action for one in kept.store.changes(kind="case")] == ["open"]
    with pytest.raises(Conflict):
        kept.matters.act(case_id, Action(transition="confer"), kept.who("desk", "intake_desk"))
    assert len(kept.store.changes()) == 1
    with kept.store.reading() as connection:
        assert kept.matters.load(connection, case_id)[1].state == "received"


def test_the_log_says_which_step_and_nothing_of_what_was_said(kept):
    case_id = opened(kept, what="needle in the text")
    desk = kept.who("desk", "intake_desk")
    kept.matters.act(case_id, Action(transition="assign", note="needle in the note"), desk)
    assert [one.body for one in kept.store.changes(kind="case")] == [
        {"type": "resident_request", "version": 2, "transition": "open"},
        {"type": "resident_request", "version": 2, "transition": "assign"},
    ]
    assert "needle" not in str(kept.store.changes())
    assert kept.told == kept.store.changes()


def test_of_two_who_act_at_once_the_second_is_told_what_changed(kept):
    case_id = opened(kept)
    desk = kept.who("desk", "intake_desk")
    kept.matters.act(case_id, Action(transition="assign", seen=1), desk)
    with pytest.raises(Conflict, match="since then: assign to assigned"):
        kept.matters.act(case_id, Action(transition="assign", seen=1), desk)


def test_of_many_who_act_in_one_moment_one_wins(kept):
    case_id = opened(kept)
    desk, results = kept.who("desk", "intake_desk"), []

    def act():
        try:
            kept.matters.act(case_id, Action(transition="assign"), desk)
            results.append("")
        except Conflict as fault:
            results.append(fault.code)

    threads = [threading.Thread(target=act) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == ["", *["conflict"] * 5]
    with kept.store.reading() as connection:
        assert len(kept.matters.load(connection, case_id)[1].history) == 2


def test_a_case_stays_with_its_version_though_its_text_goes(kept, monkeypatch):
    case_id = opened(kept)
    text = kinds.shipped_text("resident_request").replace("version = 2", "version = 3")
    newer = text.replace("[transitions.assign]", "[transitions.give_out]").replace('do = "assign"', 'do = "give_out"')
    real = kinds.shipped_text
    monkeypatch.setattr(kinds, "shipped_text", lambda name: newer if name == "resident_request" else real(name))
    kept.again()
    desk = kept.who("desk", "intake_desk")
    kept.matters.act(case_id, Action(transition="assign"), desk)
    newest = kept.matters.open(
        NewCase(type_id="resident_request", area_id=HOME, filled={"kind": "road", "source": "web", "what": "坑"}), desk
    )
    with pytest.raises(NotFound, match="does not exist in resident_request"):
        kept.matters.act(newest.case_id, Action(transition="assign"), desk)


def test_a_case_comes_back_as_it_was_after_a_restart(kept):
    case_id, _ = play(kept, "resident_request")
    with kept.store.reading() as connection:
        before = kept.matters.load(connection, case_id)
    kept.again()
    with kept.store.reading() as connection:
        after = kept.matters.load(connection, case_id)
    assert after == before
    assert len(after[1].history) > 10


def test_a_place_outside_the_district_is_refused(lite):
    desk = lite.who("desk", "intake_desk")
    filled = {"kind": "light", "source": "hotline", "what": "x"}
    with pytest.raises(BadInput, match="inside the district"):
        lite.matters.open(NewCase(type_id="resident_request", lon=0.0, lat=0.0, filled=filled), desk)
    with pytest.raises(BadInput, match="must be given"):
        lite.matters.open(NewCase(type_id="resident_request", filled=filled), desk)
    lon, lat = ground_point(HOME)
    made = lite.matters.open(NewCase(type_id="resident_request", lon=lon, lat=lat, filled=filled), desk)
    assert made.area_id == HOME


def test_nobody_acts_without_the_right_or_outside_their_area(lite):
    case_id = opened(lite)
    elsewhere = lite.who("other", "intake_desk", area="d-e")
    with pytest.raises(NotFound):
        lite.matters.act(case_id, Action(transition="assign"), elsewhere)
    analyst = lite.who("analyst", "analyst")
    with pytest.raises(NotAllowed, match="one of the roles desk"):
        lite.matters.act(case_id, Action(transition="assign"), analyst)
    with pytest.raises(NotAllowed, match=r"cases\.act"):
        lite.matters.act(case_id, Action(transition="assign"), lite.reading("reader"))


def test_evidence_must_be_a_file_that_its_actor_stored(lite):
    patrol = lite.who("patrol", "grid_worker")
    found = {"kind": "barrier", "source": "patrol"}
    case_id = lite.matters.open(NewCase(type_id="hazard", area_id=HOME, filled=found), patrol).case_id
    filled = {"danger": "soon", "measure": "fenced"}
    theirs = lite.photo(lite.who("somebody", "grid_worker"), "theirs")
    for digest in ("0" * 64, theirs):
        action = Action(transition="secure", filled=filled, evidence={"photo_before": digest})
        with pytest.raises(NotFound, match="not stored by you"):
            lite.matters.act(case_id, action, patrol)
    own = {"photo_before": lite.photo(patrol, "own")}
    lite.matters.act(case_id, Action(transition="secure", filled=filled, evidence=own), patrol)
    with lite.store.reading() as connection:
        number = lite.matters.load(connection, case_id)[2]["case_no"]
    assert all(lite.matters.room.read(digest, number)[1] == "image/png" for digest in own.values())


@pytest.fixture
def campaign(tmp_path):
    """A district with a type of its own, whose parts are hazards."""
    folder = tmp_path / "pack" / kinds.FOLDER
    folder.mkdir(parents=True)
    text = shipped_text("place_improvement").replace('id = "place_improvement"', 'id = "campaign"', 1)
    text = text.replace('confidentiality = "internal"', 'confidentiality = "internal"\nchildren = ["hazard"]', 1)
    text = text.replace("[transitions.list]", "[transitions.list]\nchildren_closed = true", 1)
    (folder / "campaign.toml").write_text(text.split("[[example]]")[0], encoding="utf-8")
    made = Kept(tmp_path, f"sqlite:///{tmp_path}/records.db", tall_pack(folder=tmp_path / "pack"))
    yield made
    made.store.close()


def test_parts_are_closed_before_the_whole_goes_on(campaign):
    boss = campaign.holding("boss", *(f"cases.campaign.{one}" for one in ("street_lead", "supervisor")))
    other = campaign.holding("other", "cases.campaign.supervisor", "cases.hazard.patrol")
    kind = campaign.matters.kinds.current("campaign")
    filled = {name: words_of(kind, one) for name, one in kind.fields.items() if one.required}
    whole = campaign.matters.open(NewCase(type_id="campaign", area_id=HOME, filled=filled), boss).case_id
    new = NewCase(type_id="hazard", area_id=HOME, filled={"kind": "barrier", "source": "device"}, parent_id=whole)
    part = campaign.matters.open(new, other).case_id
    with pytest.raises(Conflict, match=f"open children {part}"):
        campaign.matters.act(whole, Action(transition="list"), other)
    assert [one["case_id"] for one in campaign.matters.read(whole, boss).children] == [part]
    assert campaign.matters.read(part, other).parent_id == whole
    campaign.matters.act(part, Action(transition="dismiss", note="nothing there"), other)
    assert campaign.matters.act(whole, Action(transition="list"), other).state == "listed"


def test_a_part_is_of_a_type_that_the_whole_may_have(lite):
    new = NewCase(
        type_id="hazard", area_id=HOME, filled={"kind": "barrier", "source": "patrol"}, parent_id=opened(lite)
    )
    with pytest.raises(BadInput, match="must be one that resident_request may have"):
        lite.matters.open(new, lite.who("desk", "intake_desk", "grid_worker"))


def test_pages_hold_each_case_once_while_others_come_in(kept):
    made = [opened(kept) for _ in range(7)]
    desk = kept.who("desk", "intake_desk")
    first = list_cases(kept.matters, Asked(limit=3, order="opened"), desk)
    kept.wait(minutes=1)
    opened(kept)
    seen, page = [one.case.case_id for one in first.cases], first
    while page.next:
        page = list_cases(kept.matters, Asked(limit=3, order="opened", after=page.next), desk)
        seen += [one.case.case_id for one in page.cases]
    assert sorted(seen) == sorted(made)


def test_a_task_lies_in_the_street_that_does_it_and_that_street_alone_acts(lite):
    planner = lite.who("planner", "planner")
    filled = {"title": "t", "item_no": "1", "measure": "m", "responsible_unit": "office-w", "finish_by": "2026-09-30"}
    made = lite.matters.open(NewCase(type_id="programme_task", area_id=HOME, filled=filled), planner)
    assert made.area_id == "d-w"
    accept = Action(transition="accept", filled={"lead_office": "x"})
    with pytest.raises(NotFound):
        lite.matters.act(made.case_id, accept, lite.who("e", "responsible_unit", area="d-e", office="office-w"))
    west = lite.who("w", "responsible_unit", area="d-w", office="office-w")
    assert lite.matters.act(made.case_id, accept, west).state == "in_work"


def test_a_certificate_waits_until_the_finding_that_is_linked_has_ended(lite):
    case_id, _ = play(lite, "certification", until="site_checked")
    inspector = lite.who("i", "inspector")
    filled = {"title": "t", "item_no": 1, "category": "fire", "severity": "serious", "source": "inspection"}
    finding = lite.matters.open(NewCase(type_id="finding", area_id=HOME, filled=filled), inspector).case_id
    lite.matters.link(case_id, finding, inspector)
    with pytest.raises(BadInput, match="must be one that certification waits for"):
        lite.matters.link(case_id, case_id, inspector)
    assert [one["case_id"] for one in lite.matters.read(case_id, inspector).waits_for] == [finding]
