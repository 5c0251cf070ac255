import json

import pytest

from anlan.indicators import shipped_indicators
from anlan.papers import new_key, sealed, shipped_papers

SECRET, PUBLIC = new_key(b"k" * 32)
CODE = sealed({"no": "PA-1", "place": "第三小学"}, SECRET)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_papers_and_indicators_are_listed(anlan, language):
    out = anlan("papers", "list", "--lang", language)[1]
    assert all(one.paper_id in out for one in shipped_papers())
    listed = json.loads(anlan("indicators", "list", "--json")[1])["indicators"]
    assert [one["formula"] for one in listed] == [one.formula for one in shipped_indicators()]
    assert shipped_indicators()[0].label[language] in anlan("indicators", "list", "--lang", language)[1]


def test_a_certificate_is_verified_without_a_network(anlan):
    status, out, _ = anlan("papers", "verify", CODE, "--key", PUBLIC.hex())
    assert status == 0
    assert "place: 第三小学" in out
    told = json.loads(anlan("papers", "verify", CODE, "--key", PUBLIC.hex(), "--json")[1])
    assert told == {"verified": True, "told": {"no": "PA-1", "place": "第三小学"}}


@pytest.mark.parametrize(
    ("code", "key", "status"),
    [(CODE, new_key(b"x" * 32)[1].hex(), 4), ("x", PUBLIC.hex(), 2), (CODE, "12", 2), (CODE, "zz", 2)],
)
def test_what_is_not_genuine_is_refused(anlan, code, key, status):
    got, _, err = anlan("papers", "verify", code, "--key", key)
    assert got == status
    assert err.count(";") >= 1


def test_a_sheet_is_tried_and_its_faults_are_told(anlan, tmp_path):
    heads = "任务编号,任务名称,完成标准,责任单位,完成期限,区域\n"
    good = tmp_path / "good.csv"
    good.write_text(heads + "A-1,名称,标准,street-east,2026-09-30,黄浦区\n")
    bad = tmp_path / "bad.csv"
    bad.write_text(heads + "A-1,名称,标准,street-east,2026-09-31,nowhere\n")
    status, out, _ = anlan("types", "sheet", "programme_task", str(good), "--lang", "en")
    assert (status, "1 rows can be opened, 0 faults" in out) == (0, True)
    status, out, _ = anlan("types", "sheet", "programme_task", str(bad), "--json")
    assert status == 2
    assert [one["column"] for one in json.loads(out)["faults"]] == ["finish_by", "area"]
    assert anlan("types", "sheet", "programme_task", str(tmp_path / "none.csv"))[0] == 3


def test_a_type_is_printed_as_its_page(anlan):
    status, out, _ = anlan("types", "page", "hazard")
    assert (status, out.startswith("## Hazard · 隐患处置")) == (0, True)
