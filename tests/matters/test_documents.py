import io
import zipfile
from dataclasses import replace
from datetime import timedelta

import docx
import pytest
from PIL import Image
from tests.matters.conftest import Kept, tall_pack
from tests.matters.playing import Played
from tests.matters.test_due import hazard
from tests.matters.test_keeping import StorePlayer, play
from tests.papers.reading import text_in

from anlan.cases import shipped_types
from anlan.cases.library import shipped_text
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.matters import documents, forget_due, kinds, tell_due
from anlan.papers import verified

EAST = {"zh": "东街道办", "en": "East office"}


def wanted(document, form="docx", **more):
    return documents.Wanted(document=document, form=form, **({"names": {}} | more))


def text_of(content):
    paper = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in paper.paragraphs), *cells])


GIVEN = {
    "certification": ("certified", "certificate", "certifier", "PA-2026-0031"),
    "decision_assessment": ("published", "summary", "assessor", "风险等级"),
    "planned_event": ("submitted", "plan", "planner", "滨江国庆灯光秀"),
    "mediation": ("agreed", "agreement", "mediator", "移机并加装导水管"),
}


@pytest.mark.parametrize("type_id", sorted(GIVEN))
def test_a_kept_case_gives_its_papers_and_the_log_says_so(lite, type_id):
    until, document, role, said = GIVEN[type_id]
    case_id, _ = play(lite, type_id, until=until)
    who = lite.holding("w", f"cases.{type_id}.{role}")
    assert [one.document for one in documents.offered(lite.matters, case_id, who) if not one.missed] == [document]
    assert documents.issue(lite.matters, case_id, wanted(document, "pdf"), who).startswith(b"%PDF")
    assert said in text_of(documents.issue(lite.matters, case_id, wanted(document), who))
    lines = lite.store.changes(kind="case", limit=100_000)[-2:]
    assert [(one.action, one.actor, one.body["form"]) for one in lines] == [
        ("issue", "w", "pdf"),
        ("issue", "w", "docx"),
    ]
    assert lines[0].body == {"type": type_id, "document": document, "form": "pdf"}


def test_no_paper_tells_what_its_asker_may_not_read(lite):
    case_id, _ = play(lite, "mediation", until="agreed")
    with pytest.raises(BadInput, match="facts, manner, terms of agreement must be told"):
        documents.issue(lite.matters, case_id, wanted("agreement"), lite.holding("r", "cases.mediation.registrar"))
    with pytest.raises(NotFound):
        documents.issue(lite.matters, case_id, wanted("agreement"), lite.who("c", "commander"))


def test_a_paper_is_issued_by_a_role_of_its_type_that_acts_there(lite):
    case_id, _ = play(lite, "certification", until="certified")
    for who in (lite.reading("r"), lite.holding("n", "cases.hazard.patrol")):
        with pytest.raises(NotAllowed):
            documents.issue(lite.matters, case_id, wanted("certificate"), who)
    early, _ = play(lite, "certification", until="site_checked")
    inspector = lite.who("i", "inspector")
    assert [one.missed for one in documents.offered(lite.matters, early, inspector)] == ["must be asked in certified"]
    with pytest.raises(Conflict):
        documents.issue(lite.matters, early, wanted("certificate"), inspector)
    with pytest.raises(BadInput, match="must be one of pdf, docx"):
        documents.issue(lite.matters, case_id, wanted("certificate", "odt"), inspector)


def code_on(content):
    """Read the code on a paper in a word processor's form."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        (picture,) = [packed.read(name) for name in packed.namelist() if name.endswith(".png")]
    return text_in(Image.open(io.BytesIO(picture)))


def issued_on_the_way(kept, kind, state, issue):
    """Play an example to its end, and issue something as soon as it stands in a state; return the case and that."""
    played, made = Played(), []
    for _ in StorePlayer(kept).lines(kind, played):
        if played.state == state and not made:
            made.append(issue(played.case_id))
    return played.case_id, made[0]


def test_a_certificate_is_verified_by_anybody_until_it_lapses(lite):
    certifier, while_it_stands = lite.who("c", "certifier"), []

    def issue(case_id):
        code = code_on(documents.issue(lite.matters, case_id, wanted("certificate"), certifier))
        while_it_stands.append(documents.check(lite.matters, code))
        return code

    _, code = issued_on_the_way(lite, shipped_types().get("certification"), "certified", issue)
    assert (while_it_stands[0].stands, while_it_stands[0].told["place"]) == (True, "第三小学")
    key = documents.public_key(lite.matters)
    assert verified(code, bytes.fromhex(key)).told["certificate_no"] == "PA-2026-0031"
    lite.again()
    assert documents.public_key(lite.matters) == key
    assert documents.check(lite.matters, code).stands is False
    with pytest.raises(NotAllowed):
        documents.check(lite.matters, code[:-6] + "AAAAAA")


def test_a_letter_is_due_when_a_clock_has_run_out_and_is_from_whom_it_was_told(lite):
    case_id, top = hazard(lite), lite.who("s", "supervisor")
    with pytest.raises(NotFound, match="does not exist in hazard"):
        documents.issue(lite.matters, case_id, wanted("letter"), top)
    lite.wait(hours=5)
    tell_due(lite.matters, lite.clock.now())
    assert [one.document for one in documents.offered(lite.matters, case_id, top)] == ["letter"]
    said = text_of(documents.issue(lite.matters, case_id, wanted("letter", reason="立即处置", language="zh"), top))
    owner = lite.matters.ground.areas.area("d-w-s").name["zh"]
    assert all(one in said for one in (f"{owner}：", "督办意见：立即处置", "已用时限的 200%", case_id))


def test_a_letter_goes_to_the_unit_and_is_no_longer_given_once_the_work_is_done(lite):
    case_id, _ = play(lite, "programme_task", until="in_work")
    lite.clock.set(lite.clock.now() + timedelta(days=400))
    top = lite.who("s", "supervisor")
    said = text_of(documents.issue(lite.matters, case_id, wanted("letter", names={"street-east": EAST}), top))
    assert "东街道办：" in said


def test_a_bulletin_counts_the_parts_of_a_programme(lite):
    case_id, _ = play(lite, "programme")
    names = {"street-east": EAST}
    said = text_of(documents.issue(lite.matters, case_id, wanted("bulletin", names=names), lite.who("p", "planner")))
    assert "共 1 项任务，办结 1 项" in said
    assert "东街道办" in said


def test_a_forgotten_case_gives_no_paper_and_leaves_none(lite):
    mediator = lite.holding("m", "cases.mediation.mediator", "cases.mediation.registrar")
    # The example's own words stand in the text of the type, which is kept.
    kind, terms = shipped_types().get("mediation"), "NEEDLE 不再堆放"
    lines = [
        replace(one, filled=one.filled | {"terms": terms}) if "terms" in one.filled else one for one in kind.example
    ]
    case_id, paper = issued_on_the_way(
        lite,
        replace(kind, example=tuple(lines)),
        "agreed",
        lambda one: documents.issue(lite.matters, one, wanted("agreement"), mediator),
    )
    assert terms in text_of(paper)
    lite.wait(days=4000)
    assert forget_due(lite.matters, lite.clock.now()) == 1
    with pytest.raises(Conflict, match="was not forgotten"):
        documents.issue(lite.matters, case_id, wanted("agreement"), mediator)
    left = [path for path in lite.folder.rglob("*") if path.is_file() and terms.encode() in path.read_bytes()]
    assert left == []


def test_a_district_has_templates_and_documents_of_its_own(tmp_path):
    types, papers = tmp_path / "pack" / kinds.FOLDER, tmp_path / "pack" / documents.FOLDER
    types.mkdir(parents=True)
    papers.mkdir()
    text = shipped_text("hazard").replace("version = 1", "version = 9", 1)
    slip = '[documents.slip]\nlabel = { zh = "单", en = "slip" }\npaper = "slip"\nstates = ["found"]\n\n[retention]'
    (types / "hazard.toml").write_text(text.replace("[retention]", slip, 1), encoding="utf-8")
    part = '[[part]]\nkind = "text"\ntext = { zh = "{kind}在{where}", en = "{kind} in {where}" }'
    (papers / "slip.toml").write_text(f'id = "slip"\ntitle = {{ zh = "单", en = "Slip" }}\n{part}', encoding="utf-8")
    made = Kept(tmp_path, f"sqlite:///{tmp_path}/records.db", tall_pack(folder=tmp_path / "pack"))
    said = text_of(documents.issue(made.matters, hazard(made), wanted("slip", language="en"),
                                   made.who("p", "grid_worker")))  # fmt: skip
    assert "in d-w-s-w-s" in said
    made.store.close()
