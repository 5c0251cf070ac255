import json
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.command.conftest import served
from tests.crowd.test_withheld import PACK
from tests.proof.test_proofs import NOW, YESTERDAY, told

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock


@pytest.fixture
def serving(tmp_path):
    district = District.open(replace(PACK, folder=tmp_path), tmp_path / "data", clock=FollowedClock(NOW))
    with closing(district), served(create_app(district)) as url:
        yield SimpleNamespace(url=url, proofs=district.proofs)


def test_what_was_proved_last_is_shown(serving, anlan):
    serving.proofs._keep(YESTERDAY, told(1.05))
    status, out, _ = anlan("prove", "--last", "--url", serving.url, "--lang", "en")
    assert status == 0
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.split()}
    assert rows["camera-3"][-4:] == ["16", "0%", "0%", "10%"]
    assert rows["all"][1:] == ["192", "0%", "0%"]
    assert "factor on the widths: 1.00 before, 1.02 now (1 days, 179 hours of devices)" in out
    assert "区间宽度系数：此前 1.00，现在 1.02" in anlan("prove", "--last", "--url", serving.url)[1]
    assert json.loads(anlan("prove", "--last", "--json", "--url", serving.url)[1])["day"]["on"] == "2026-12-31"


def test_where_nothing_is_proven_it_says_so(serving, anlan):
    assert "not proven yet" in anlan("prove", "--last", "--url", serving.url, "--lang", "en")[1]
    assert "尚未验证" in anlan("prove", "--last", "--url", serving.url)[1]


def test_it_proves_a_day_and_waits_for_it(serving, anlan):
    def ask(day):
        serving.proofs._keep(day, told(2.0))
        serving.proofs._proving = None

    serving.proofs._ask = ask
    status, out, _ = anlan("prove", "--on", "2026-12-30", "--url", serving.url, "--lang", "en")
    assert status == 0
    assert "2026-12-30" in out
    assert "1.00 before" in out


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (("--on", "friday"), 2, "on='friday' must be a day"),
        (("--on", "2027-01-01"), 2, "on=2027-01-01 must be over, and within the last 30 days"),
        (("--on", "2026-12-30", "--last"), 2, "must not be given together"),
        ((), 7, "nothing was counted on 2026-12-31"),
    ],
)
def test_what_cannot_be_proved_is_refused(serving, anlan, given, status, said):
    found, _, err = anlan("prove", *given, "--url", serving.url, "--lang", "en")
    assert found == status
    assert said in " ".join(err.split())
