import json
import re
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.command.conftest import served
from tests.matters.conftest import AT, PLAYED, picture, tall_pack, wide_pack
from tests.matters.playing import Player

from anlan.cases import OPEN, read_type
from anlan.cases.replay import LEVELS
from anlan.cli.terminal import everything
from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.pack import write_pack
from anlan.staff import NewOffice, Staff, read_roles

DOCS = Path(__file__).parents[2] / "docs"
HOME = "d-w-s-w-s"
AREAS = dict(zip(LEVELS, ("d", "d-w", "d-w-s", "d-w-s-w", HOME), strict=True))
KEY = "of-this-machine"


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """A district of ten thousand micro-grids as the server opens it; the test sets its clock, for some types rest."""
    with serving_of(wide_pack(), tmp_path_factory.mktemp("matters")) as made:
        yield made


@contextmanager
def serving_of(pack, folder):
    """Serve a district to the terminal of this machine."""
    with closing(District.open(pack, folder, clock=FollowedClock(AT))) as district:
        staff = Staff(district.store, read_roles(), district.pack.areas)
        terminal = everything("terminal", district.pack.areas, district.matters.kinds.rights())
        with served(create_app(district, staff=staff, terminals={KEY: terminal})) as url:
            yield SimpleNamespace(url=url, folder=folder, district=district, clock=district.clock, staff=staff)


@pytest.fixture(autouse=True)
def of_this_machine(monkeypatch):
    monkeypatch.setenv("ANLAN_KEY", KEY)


class Hand(Player):
    """Types what a person of an example does, each with a key of their own for each role."""

    def __init__(self, serving, anlan, monkeypatch):
        self.serving, self.anlan, self.monkeypatch, self.keys = serving, anlan, monkeypatch, {}

    def key(self, kind, trial, level=None):
        """Return the label and the text of the key of whoever a line is by."""
        area = AREAS[level or trial.level or kind.entry_level]
        name = f"{kind.type_id} {trial.by} {trial.role} {area}"
        if name not in self.keys:
            self.monkeypatch.setenv("ANLAN_KEY", KEY)
            rights = ("cases.read", "cases.act", f"cases.{kind.type_id}.{trial.role}")
            told = [part for right in rights for part in ("--right", right)]
            label = f"{name} {len(self.serving.staff.every_key())}"  # the same line may be played again
            status, out, err = self.anlan("staff", "key", label, *told, "--area", area, "--url", self.serving.url)
            assert status == 0, err
            self.keys[name] = label, out.strip()
        return self.keys[name]

    def unit(self, kind, name):
        """Return the unit that a key acts for: itself."""
        steps = kind.transitions
        line = next(one for one in kind.example
                    if one.unit == name and not one.refused and one.do in steps and steps[one.do].unit)  # fmt: skip
        label, _ = self.key(kind, line)
        return next(f"key:{one.key_id}" for one in self.serving.staff.every_key() if one.label == label)

    def ask(self, key, *ask):
        self.monkeypatch.setenv("ANLAN_KEY", key)
        status, out, err = self.anlan("cases", *ask, "--url", self.serving.url, "--json")
        return status, json.loads(out) if status == 0 else err

    def do(self, kind, k, played, parent_id):
        trial = kind.example[k]
        if trial.refused:  # what is refused is played through HTTP
            return trial.refused
        self.serving.clock.set(trial.at)
        told = [f"--note={trial.note}"]
        for name, value in trial.filled.items():
            text = value if isinstance(value, str | date) else json.dumps(value)
            told += ["--field", f"{name}={self.unit(kind, text) if name in kind.unit_fields else text}"]
        for name in trial.evidence:
            photo = self.serving.folder / f"{kind.type_id}-{k}-{name}.png"
            photo.write_bytes(picture(photo.name))
            told += ["--file", f"{name}={photo}"]
        _, key = self.key(kind, trial, "district" if parent_id else None)
        if trial.do == OPEN:
            part_of = ("--parent", parent_id) if parent_id else ()
            status, made = self.ask(key, "open", "--type", kind.type_id, "--area", HOME, *part_of, *told)
        else:
            status, made = self.ask(key, "act", played.case_id, trial.do, "--seen", played.n_changes, *told)
        assert status == 0, made
        played.case_id, played.state, played.n_changes = made["id"], made["state"], made["n_changes"]
        return ""

    def link(self, kind, at, played, other_id):
        self.serving.clock.set(at)
        assert self.ask(self.key(kind, kind.example[0], "district")[1], "link", played.case_id, other_id)[0] == 0


@pytest.mark.parametrize("type_id", [one.type_id for one in PLAYED])
def test_every_type_runs_from_its_opening_to_its_end_in_the_terminal(serving, anlan, monkeypatch, type_id):
    kind = next(one for one in PLAYED if one.type_id == type_id)
    played = Hand(serving, anlan, monkeypatch).play(kind)
    assert kind.states[played.state].closed
    monkeypatch.setenv("ANLAN_KEY", KEY)
    status, out, _ = anlan("cases", "show", played.case_id, "--url", serving.url, "--lang", "en")
    assert status == 0
    assert kind.states[played.state].label["en"] in out


LAMP = re.findall(r"^```toml\n(.*?)^```", (DOCS / "cases.md").read_text(), re.MULTILINE | re.DOTALL)[0]


def test_a_type_that_is_only_a_file_of_the_district_runs_through_server_and_terminal(anlan, monkeypatch, tmp_path):
    write_pack(tall_pack(), tmp_path / "pack")
    (tmp_path / "pack" / "case-types").mkdir()
    (tmp_path / "pack" / "case-types" / "lamp.toml").write_text(LAMP, encoding="utf-8")
    with serving_of(tmp_path / "pack", tmp_path / "data") as made:
        played = Hand(made, anlan, monkeypatch).play(read_type(LAMP))
        monkeypatch.setenv("ANLAN_KEY", KEY)
        url = ("--url", made.url, "--lang", "en")
        assert played.state == "lit"
        assert played.case_id in anlan("cases", "list", "--type", "lamp", "--state", "lit", *url)[1]
        out = anlan("cases", "show", played.case_id, *url)[1]
        assert all(one in out for one in ("Lamp repair", "lamps: 2", "cost, CNY: 300"))
        assert anlan("cases", "export", tmp_path / "lamps.csv", "--type", "lamp", *url[:2])[0] == 0
        assert ",2,300" in (tmp_path / "lamps.csv").read_text(encoding="utf-8-sig")
        assert anlan("cases", "migrate", "--type", "lamp", "--to", 1, *url)[0] == 0
        sheet = tmp_path / "lamps.csv"
        sheet.write_text("盏数,区域\n3,d-w-s-w\n4,d-e-n-e\n")
        assert "2 were" in anlan("cases", "import", sheet, "--type", "lamp", *url)[1]


def test_where_it_would_go_is_told_with_every_rule(serving, anlan):
    asked = ("cases", "route", "--type", "resident_request", "--area", HOME, "--url", serving.url, "--lang", "en")
    _, out, _ = anlan(*asked, "--field", "kind=safety")
    assert "micro_grid d-w-s-w-s → committee d-w-s-w → grid d-w-s → street d-w → district d" in out
    assert "street d-w what is a danger" in out
    _, out, _ = anlan(*asked, "--field", "kind=road")
    assert "safety-to-street ✗ not so: kind == 'safety'" in out
    status, _, err = anlan(
        "cases", "route", "--type", "resident_request", "--at", "here", "--url", serving.url, "--lang", "en"
    )
    assert (status, "must be lon,lat" in " ".join(err.split())) == (2, True)


def test_cases_are_listed_sought_counted_and_exported(serving, anlan, tmp_path):
    told = ("--field", "kind=light", "--field", "source=counter", "--field", "what=豫园路灯不亮")
    opened = ("cases", "open", "--type", "resident_request", "--area", HOME, *told, "--url", serving.url, "--json")
    case_id = json.loads(anlan(*opened)[1])["id"]
    _, out, _ = anlan("cases", "list", "--search", "豫园", "--state", "received", "--url", serving.url, "--lang", "en")
    assert case_id in out
    _, out, _ = anlan("cases", "counts", "--type", "resident_request", "--url", serving.url, "--json")
    assert {"type": "resident_request", "state": "received", "light": "green", "n_cases": 1} in json.loads(out)[
        "counts"
    ]
    export = ("cases", "export", tmp_path / "out.csv", "--type", "resident_request", "--url", serving.url)
    for more, begins in (((), "市民诉求,resident_request"), (("--ids",), "resident_request")):
        assert anlan(*export, *more)[0] == 0
        assert f"{case_id},{begins}" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")


def test_a_sheet_of_tasks_comes_in_all_of_it_or_nothing(serving, anlan, tmp_path):
    sheet, url = tmp_path / "tasks.csv", ("--url", serving.url)
    office = NewOffice(name={"en": "West works"}, role_ids=("responsible_unit",), area_id="d-w")
    serving.staff.make_office(office, "test", datetime.now(UTC))
    heads = "任务编号,任务名称,完成标准,责任单位,完成期限,区域\n"
    sheet.write_text(heads + "1,a,m,West works,2026-09-30,d-w\n2,b,m,West works,2026-09-31,d-w\n")
    asked = ("cases", "import", sheet, "--type", "programme_task", "--lang", "en", *url)
    status, out, _ = anlan(*asked)
    assert (status, "row 3, finish_by" in out, "0 were, 1 faults" in out) == (2, True, True)
    sheet.write_text(heads + "1,a,m,West works,2026-09-30,d-w\n2,b,m,West works,2026-09-30,d-w\n")
    assert "2 rows can be opened, 0 were, 0 faults" in anlan(*asked, "--dry-run")[1]
    assert "2 rows can be opened, 2 were, 0 faults" in anlan(*asked)[1]


def test_cases_are_moved_to_another_version_in_the_terminal(serving, anlan):
    asked = ("cases", "migrate", "--type", "hazard", "--url", serving.url, "--lang", "en")
    assert anlan(*asked, "--to", 1, "--dry-run")[1].strip() == "0 running cases, 0 moved, 0 do not fit"
    assert anlan(*asked, "--to", 9)[0] == 3


def test_papers_of_a_case_are_listed_and_written(serving, anlan, monkeypatch, tmp_path):
    kind = next(one for one in PLAYED if one.type_id == "planned_event")
    case_id = Hand(serving, anlan, monkeypatch).play(kind, until="planning").case_id
    monkeypatch.setenv("ANLAN_KEY", KEY)
    url = ("--url", serving.url, "--lang", "en")
    assert anlan("cases", "papers", case_id, *url)[1].strip() == "plan safety plan ✓"
    for name in ("plan.pdf", "plan.docx"):
        assert anlan("cases", "paper", case_id, "plan", tmp_path / name, *url)[0] == 0
        assert (tmp_path / name).stat().st_size > 5000
    assert anlan("cases", "paper", case_id, "plan", tmp_path / "plan.txt", *url)[0] == 2
    assert anlan("cases", "paper", case_id, "letter", tmp_path / "x.pdf", *url)[0] == 3


def test_indicators_are_shown_with_what_is_behind_them(serving, anlan, tmp_path):
    serving.clock.set(datetime(2026, 3, 2, 1, tzinfo=UTC))
    opened = (
        "cases",
        "open",
        "--type",
        "hazard",
        "--area",
        HOME,
        "--field",
        "kind=barrier",
        "--field",
        "source=patrol",
    )
    case_id = json.loads(anlan(*opened, "--url", serving.url, "--json")[1])["id"]
    serving.clock.set(datetime(2026, 4, 2, 1, tzinfo=UTC))
    asked = ("indicators", "show", "hazards_safe_on_time", "--period", "2026-03", "--url", serving.url)
    told = json.loads(anlan(*asked, "--area", "d-w", "--json")[1])
    assert (told["whole"]["n"], told["whole"]["value"]) == (1, 0)
    assert "0 (n=1)" in anlan(*asked, "--lang", "en")[1]
    assert case_id in anlan(*asked, "--cases")[1]
    for name in ("b.pdf", "b.docx"):
        assert anlan("indicators", "bulletin", "2026-03", tmp_path / name, "--url", serving.url)[0] == 0
        assert (tmp_path / name).stat().st_size > 2000
    assert anlan("indicators", "publish", tmp_path / "p.csv", "--url", serving.url)[0] == 0
    assert "hazards_safe_on_time,d,2026-03,,%,hidden" in (tmp_path / "p.csv").read_text(encoding="utf-8-sig")
    assert anlan("indicators", "show", "nothing", "--url", serving.url)[0] == 3


def test_whoever_was_slower_is_told_so_in_the_terminal(serving, anlan):
    told = ("--field", "kind=light", "--field", "source=counter", "--field", "what=x")
    opened = ("cases", "open", "--type", "resident_request", "--area", HOME, *told, "--url", serving.url, "--json")
    case_id = json.loads(anlan(*opened)[1])["id"]
    step = ("cases", "act", case_id, "assign", "--seen", 1, "--url", serving.url)
    assert anlan(*step)[0] == 0
    status, _, err = anlan(*step)
    assert (status, "since then: assign to assigned" in " ".join(err.split())) == (5, True)
