import json
from datetime import date

import pytest
from tests.cli.conftest import Started
from tests.matters.conftest import PLAYED, picture, tall_pack

from anlan.cases import OPEN, shipped_types
from anlan.cases.replay import LEVELS
from anlan.pack import write_pack

HOME = "d-w-s-w-s"
AREAS = dict(zip(LEVELS, ("d", "d-w", "d-w-s", "d-w-s-w", HOME), strict=True))


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matters")
    write_pack(tall_pack(), folder / "pack")
    one = Started(
        "serve", "--district", folder / "pack", "--data", folder / "data", "--port", 0, "--mqtt-port", 0, wait_s=300
    )
    one.photo = folder / "photo.png"
    one.photo.write_bytes(picture())
    yield one
    one.kill()


class Hand:
    """Does what a person of an example does, each with a key of their own for each role."""

    def __init__(self, serving, anlan, monkeypatch):
        self.serving, self.anlan, self.monkeypatch, self.keys = serving, anlan, monkeypatch, {}

    def key(self, kind, trial):
        rights = {"cases.read", "cases.act", f"cases.{kind.type_id}.{trial.role}"}
        area = AREAS[trial.level or kind.entry_level]
        name = (kind.type_id, trial.by, trial.role, area)
        if name not in self.keys:
            self.monkeypatch.delenv("ANLAN_KEY", raising=False)
            told = [part for right in sorted(rights) for part in ("--right", right)]
            status, out, err = self.anlan("staff", "key", "x", *told, "--area", area, "--url", self.serving.url)
            assert status == 0, err
            self.keys[name] = out.strip()
        self.monkeypatch.setenv("ANLAN_KEY", self.keys[name])

    def do(self, *ask):
        status, out, err = self.anlan("cases", *ask, "--url", self.serving.url, "--json")
        assert status == 0, (ask, err)
        return json.loads(out)

    def play(self, kind, until=None):
        """Take every step of an example that is taken there; return the case as it ends."""
        case = {"state": ""}
        for k, trial in enumerate(kind.example):
            if trial.refused or case["state"] == until:
                continue
            if trial.linked:
                waited = shipped_types().get(kind.gates[0].type_id)
                other = self.play(waited, until=min(trial.linked.values()))
                self.key(kind, kind.example[0])
                self.do("link", case["id"], other["id"])
            self.key(kind, trial)
            told = [f"--note={trial.note}"]
            for name, value in trial.filled.items():
                plain = isinstance(value, str | date)
                told += ["--field", f"{name}={value if plain else json.dumps(value)}"]
            for name in trial.evidence:
                photo = self.serving.photo.with_name(f"{kind.type_id}-{k}-{name}.png")
                photo.write_bytes(picture(photo.name))
                told += ["--file", f"{name}={photo}"]
            if trial.do == OPEN:
                case = self.do("open", "--type", kind.type_id, "--area", HOME, *told)
            else:
                case = self.do("act", case["id"], trial.do, "--seen", case["n_changes"], *told)
        return case


WAITS = {"place_improvement": "watched", "decision_assessment": "published"}
"""States in which a type rests for months by the real clock of this server; over HTTP they are played to the end."""


@pytest.mark.parametrize("type_id", [one.type_id for one in PLAYED])
def test_every_type_runs_from_its_opening_to_its_end_in_the_terminal(serving, anlan, monkeypatch, type_id):
    kind = shipped_types().get(type_id)
    until = WAITS.get(type_id)
    case = Hand(serving, anlan, monkeypatch).play(kind, until=until)
    assert kind.states[case["state"]].closed or case["state"] == until
    monkeypatch.delenv("ANLAN_KEY")
    status, out, _ = anlan("cases", "show", case["id"], "--url", serving.url, "--lang", "en")
    assert status == 0
    assert kind.states[case["state"]].label["en"] in out


def test_where_it_would_go_is_told_with_every_rule(serving, anlan):
    asked = ("cases", "route", "--type", "resident_request", "--area", HOME, "--url", serving.url, "--lang", "en")
    _, out, _ = anlan(*asked, "--field", "kind=safety")
    assert "micro_grid d-w-s-w-s → committee d-w-s-w → grid d-w-s → street d-w → district d" in out
    assert "street d-w what is a danger" in out
    _, out, _ = anlan(*asked, "--field", "kind=road")
    assert "safety-to-street ✗ not so: kind == 'safety'" in out
    status, _, err = anlan("cases", "route", "--type", "resident_request", "--at", "here", "--url", serving.url)
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
    status, _, _ = anlan("cases", "export", tmp_path / "out.csv", "--type", "resident_request", "--url", serving.url)
    assert status == 0
    assert f"{case_id},resident_request" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")


def test_whoever_was_slower_is_told_so_in_the_terminal(serving, anlan):
    told = ("--field", "kind=light", "--field", "source=counter", "--field", "what=x")
    opened = ("cases", "open", "--type", "resident_request", "--area", HOME, *told, "--url", serving.url, "--json")
    case_id = json.loads(anlan(*opened)[1])["id"]
    step = ("cases", "act", case_id, "assign", "--seen", 1, "--url", serving.url)
    assert anlan(*step)[0] == 0
    status, _, err = anlan(*step)
    assert (status, "since then: assign to assigned" in " ".join(err.split())) == (5, True)
