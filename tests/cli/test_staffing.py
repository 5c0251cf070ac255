import json

import pytest
from tests.cli.conftest import Started


@pytest.fixture(scope="module")
def serving(pack_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("staffed")
    one = Started("serve", "--district", pack_folder, "--data", folder, "--port", 0, "--mqtt-port", 0)
    yield one
    one.kill()


def test_an_account_is_opened_listed_and_let_go(serving, anlan):
    status, out, _ = anlan("staff", "add", "lin", "--shown", "Lin", "--role", "duty_officer", "--url", serving.url)
    assert status == 0
    assert f"{serving.url}/#enter=" in out
    _, out, _ = anlan("staff", "list", "--url", serving.url, "--lang", "en")
    assert out.splitlines()[0].split() == ["signs", "in", "as", "name", "offices"]
    assert "Duty officer" in next(line for line in out.splitlines() if line.startswith("lin"))
    _, out, _ = anlan("staff", "offices", "--url", serving.url, "--json")
    assert [one["roles"] for one in json.loads(out)["offices"]] == [["duty_officer"]]


def test_a_faulty_office_leaves_no_account_behind(serving, anlan):
    before = anlan("staff", "list", "--url", serving.url, "--json")[1]
    wrong = ("staff", "add", "mei", "--role", "duty_officer", "--area", "atlantis", "--url", serving.url)
    status, _, err = anlan(*wrong)
    assert status == 2
    assert "atlantis" in err
    assert anlan("staff", "list", "--url", serving.url, "--json")[1] == before


def test_a_key_is_made_listed_and_withdrawn(serving, anlan):
    status, out, _ = anlan("staff", "key", "kerb box", "--right", "observations.act", "--url", serving.url)
    assert status == 0
    assert out.startswith("anlan_")
    made = json.loads(anlan("staff", "keys", "--url", serving.url, "--json")[1])["keys"]
    assert [one["label"] for one in made] == ["kerb box"]
    assert anlan("staff", "withdraw-key", made[0]["id"], "--url", serving.url)[0] == 0
    assert json.loads(anlan("staff", "keys", "--url", serving.url, "--json")[1])["keys"] == []


def test_whoever_has_no_key_is_told_what_to_do(serving, anlan, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    status, _, err = anlan("places", "--url", serving.url)
    assert status == 4
    assert "set ANLAN_KEY" in " ".join(err.split())
