"""A planned event that runs, asked by HTTP and typed in the terminal: live, fired, answered, counted, rehearsed."""

import json
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from tests.cli.test_matters import KEY, serving_of
from tests.matters.conftest import LONG_AGO, picture, tall_pack
from tests.matters.test_keeping import StorePlayer, opened
from tests.waiting import PATIENCE_S

from anlan.kernel.access import Access, Actor, Grant
from anlan.kernel.records import Observation
from anlan.matters import standing
from anlan.pack import read_pack, write_pack
from anlan.staff import read_roles

MINUTE = timedelta(minutes=1)


class Hands:
    """What the player of examples needs, over a district that is served."""

    def __init__(self, district):
        self.matters, self.clock, self.store = district.matters, district.clock, district.store
        self.access = Access(read_roles(), district.pack.areas)

    def holding(self, name, *rights, area="d"):
        grant = Grant(role_id="", area_id=area, from_at=LONG_AGO)
        both = frozenset({"cases.read", "cases.act", *rights})
        return standing(self.access, Actor(actor_id=name, grants=(grant,), rights=both), LONG_AGO)

    def who(self, name, *roles):
        grants = tuple(Grant(role_id=one, area_id="d", from_at=LONG_AGO, office_id=name) for one in roles)
        return standing(self.access, Actor(actor_id=name, grants=grants), LONG_AGO)

    def photo(self, who, mark):
        return self.matters.room.put(picture(mark), who.actor_id)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """A served district on the night of the example's event."""
    folder = tmp_path_factory.mktemp("night")
    write_pack(tall_pack(), folder / "pack")
    with serving_of(read_pack(folder / "pack"), folder / "data") as served:
        hands = Hands(served.district)
        played = StorePlayer(hands).play(served.district.matters.kinds.current("planned_event"), until="running")
        yield SimpleNamespace(**vars(served), case_id=played.case_id, hands=hands, sent=0)


@pytest.fixture(autouse=True)
def of_this_machine(monkeypatch):
    monkeypatch.setenv("ANLAN_KEY", KEY)


def minutes(night, n, persons):
    """Let minutes go by in which the view of the promenade counts so many people."""
    clock = night.district.clock
    for _ in range(n):
        at = clock.now().replace(second=0, microsecond=0) + MINUTE
        night.sent += 1
        seen = Observation(
            device_id="bund-promenade-view-1", begin_at=at - MINUTE, end_at=at, sequence=night.sent, n_present=persons
        )
        clock.set(at + timedelta(seconds=15))
        night.district.observe([seen])
        night.district.advance()


def ask(night, path, **body):
    asked = httpx.Client(base_url=f"{night.url}/api/v1", headers={"authorization": f"Bearer {KEY}"}, timeout=PATIENCE_S)
    with asked as client:
        return client.post(path, json=body) if body else client.get(path)


def test_devices_count_triggers_fire_and_somebody_answers(night, anlan):
    minutes(night, 12, 30_000)
    live = ask(night, f"/cases/{night.case_id}/live").json()
    assert live["runs"]
    a = live["zones"][0]
    assert a["ground"] == "place:bund-promenade"
    assert a["estimate"]["density_per_m2"] > 4
    assert live["devices"][0]["value"] == pytest.approx(30_000 / 3600, rel=0.01)
    found = ask(night, "/firings").json()["firings"]
    assert {one["row"] for one in found} == {1, 2}
    first, second = sorted(found, key=lambda one: one["row"])
    assert ask(night, f"/firings/{first['id']}/done", note="已关").status_code == 200
    again = ask(night, f"/firings/{first['id']}/overrule", note="no")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
    assert "已由" in json.dumps(again.json()["error"]["zh"], ensure_ascii=False)
    status, _, err = anlan("cases", "overrule", second["id"], "--url", night.url)
    assert (status, "must say why it is not done" in err) == (2, True)
    status, _, _ = anlan("cases", "overrule", second["id"], "--note", "烟火延后", "--url", night.url)
    assert status == 0
    shown = anlan("cases", "firings", "--url", night.url)[1]
    assert "done 已关" in shown
    assert "烟火延后" in shown
    assert "fired" in anlan("cases", "live", night.case_id, "--url", night.url)[1]


def test_a_case_without_a_plan_has_none_that_runs(night):
    request = opened(night.hands)
    answer = ask(night, f"/cases/{request}/live")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert ask(night, f"/cases/{request}/counted").json() == {"numbers": [], "compared": []}
    assert ask(night, f"/cases/{request}/rehearsals").json()["rehearsals"] == []


def test_the_next_event_begins_like_this_one_and_what_it_refers_to_is_listed(night, anlan):
    known = ask(night, "/cases/references").json()
    assert {"place:bund-promenade", "place:quay"} <= {one["id"] for one in known["ground"]}
    assert "bund-promenade-view-1" in {one["id"] for one in known["device"]}
    told = ("title=再来一次", "begins_at=2027-10-01T19:00:00+08:00", "ends_at=2027-10-01T22:00:00+08:00")
    fields = [part for one in told for part in ("--field", one)]
    place = ("--area", "d-w-s-w-s", "--url", night.url, "--json")
    status, out, err = anlan("cases", "open", "--type", "planned_event", "--like", night.case_id, *fields, *place)
    assert status == 0, err
    made = ask(night, f"/cases/{json.loads(out)['id']}").json()["fields"]
    assert (made["title"], len(made["triggers"]), len(made["headings"])) == ("再来一次", 2, 30)


def test_what_is_counted_is_shown(night, anlan):
    minutes(night, 8, 30_000)
    fired = ask(night, f"/cases/{night.case_id}/live").json()["firings"]
    told = ask(night, f"/cases/{night.case_id}/counted").json()["numbers"]
    assert {one["field"]: one["value"] for one in told}["n_triggered"] == len(fired) >= 2
    status, out, _ = anlan("cases", "counted", night.case_id, "--url", night.url)
    assert (status, "n_triggered" in out) == (0, True)


@pytest.mark.slow
def test_a_plan_is_rehearsed_from_the_terminal_and_its_record_written(night, anlan, tmp_path):
    record = tmp_path / "record.docx"
    ask_ = ("cases", "rehearse", night.case_id, "--crowd", "0.1", "--record", str(record), "--url", night.url)
    status, out, err = anlan(*ask_)
    assert status == 0, err
    assert "density_per_m2 > 4/m²" in out
    assert record.read_bytes().startswith(b"PK")
    kept = ask(night, f"/cases/{night.case_id}/rehearsals").json()
    assert kept["rehearsals"][0]["n_expected"] == 1200
    assert kept["going"] is None
