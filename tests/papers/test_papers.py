"""Papers are data: filled or refused, the same in PDF and Word; a certificate proves itself without a network."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cases.walking import BEGIN, at_state, someone
from tests.papers.reading import printed_page, text_in

from anlan.cases import WorkTime, firings, read_clocks, readable, replay, shipped_types
from anlan.cases.paperwork import Sender, bulletin_words, case_words, letter_words, paper_of
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.kernel.records import Calendar
from anlan.papers import (
    as_docx,
    as_pdf,
    compose,
    new_key,
    read_paper,
    sealed,
    shipped_paper,
    shipped_papers,
    verified,
)

WORK = WorkTime(calendar=Calendar(), zone=ZoneInfo("Asia/Shanghai"))
AT = datetime(2026, 4, 3, tzinfo=UTC)
SECRET, PUBLIC = new_key(bytes(range(32)))


def certificate(language="zh"):
    kind, case = at_state("certification", "certified")
    told = {name: str(case.values[name]) for name in ("certificate_no", "place", "kind", "criteria", "valid_until")}
    words = case_words(kind, case, case.values, WORK)
    more = {"issued_on": date(2026, 4, 3), "issuer": {"zh": "区平安办", "en": "district office"}}
    return compose(shipped_paper("certificate"), {**words, **more, "code": sealed(told, SECRET)}, language)


def text_of(content):
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def task_letter(language):
    kind, case = at_state("programme_task", "in_work")
    until_at = BEGIN + timedelta(days=400)
    due = next(
        one
        for one in firings(kind, case, WORK, since_at=case.opened_at, until_at=until_at)
        if one.letter and one.clock_id == "finish"
    )
    label = {"zh": "东街道", "en": "East"}
    sender = Sender(sender={"zh": "区督办室", "en": "District"}, recipient=label, where=label)
    return compose(shipped_paper("supervision_letter"), letter_words(kind, case, due, WORK, sender), language)


def test_every_document_of_a_type_has_its_template():
    known = {one.paper_id for one in shipped_papers()}
    asked = {rule.paper for kind in shipped_types() for rule in kind.documents.values()}
    assert asked <= known
    assert known - asked == {"monthly_bulletin", "volunteer_hours", "rehearsal_record"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_agreement_says_what_was_agreed_and_leaves_the_names_to_the_parties(language):
    kind, case = at_state("mediation", "agreed")
    values = readable(kind, case, someone("post-m", "mediator"), BEGIN)
    paper = compose(shipped_paper("agreement"), case_words(kind, case, values, WORK), language)
    said = text_of(as_docx(paper, AT))
    assert "移机并加装导水管" in said
    assert "2026-04-30" in said
    assert "一方愿意移机" not in said
    assert said.count("＿＿＿＿＿＿＿＿") == 6


def test_whoever_may_not_read_the_terms_gets_no_agreement():
    kind, case = at_state("mediation", "agreed")
    values = readable(kind, case, someone("r", "registrar"), BEGIN)
    with pytest.raises(BadInput, match="facts, manner, terms of agreement must be told"):
        compose(shipped_paper("agreement"), case_words(kind, case, values, WORK), "zh")


def test_a_document_is_given_where_the_type_says():
    kind, case = at_state("certification", "certified")
    assert paper_of(kind, case, "certificate") == "certificate"
    early = at_state("certification", "site_checked")[1]
    with pytest.raises(Conflict, match="must be asked in certified"):
        paper_of(kind, early, "certificate")
    with pytest.raises(NotFound, match="choose one of: certificate"):
        paper_of(kind, case, "plate")


def test_a_letter_tells_what_is_late_and_by_when_to_answer():
    said = text_of(as_docx(task_letter("en"), AT))
    assert "was due on 2026-09-30 (finished by)" in said
    assert "100 % of its time has gone" in said
    assert "外滩新增客流计数点四处" in said
    assert "Answer in writing by 2026-10-07" in said


def test_no_letter_goes_where_the_work_was_done_in_time():
    kind, case = at_state("programme_task", "in_work")
    warned = next(
        one
        for one in firings(kind, case, WORK, since_at=case.opened_at, until_at=BEGIN + timedelta(days=400))
        if one.share < 1
    )
    label = {"zh": "东街道", "en": "East"}
    with pytest.raises(Conflict, match="warn its owner instead"):
        letter_words(kind, case, warned, WORK, Sender(sender=label, recipient=label, where=label))


def test_a_bulletin_counts_every_task_once_and_its_lights_are_those_of_the_clocks():
    kind = shipped_types().get("programme_task")
    cases = [told.case for told in replay(kind)]
    at = cases[-1].history[-1].at
    told = bulletin_words([(kind, one) for one in cases], "finish", WORK, at, {"matter": "项目", "sender": "督办室"})
    reds = [read_clocks(kind, one, WORK, at)[3].light for one in cases if one.state != "done"].count("red")
    assert told["n_tasks"] == len(cases) == told["n_done"] + told["n_red"] + told["n_yellow"] + told["n_green"]
    assert (told["n_done"], told["n_done_late"], told["n_red"]) == (1, 1, reds)
    assert [one["days_late"] for one in told["late"]] == sorted(
        (one["days_late"] for one in told["late"]), reverse=True
    )
    assert as_pdf(compose(shipped_paper("supervision_bulletin"), told, "zh")).startswith(b"%PDF")


def test_the_same_paper_is_the_same_bytes_and_names_no_author():
    first, second = as_pdf(certificate()), as_pdf(certificate())
    assert first == second
    assert b"/STSong-Light" in first
    assert docx.Document(io.BytesIO(as_docx(certificate(), AT))).core_properties.author == ""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_code_on_a_printed_certificate_is_read_and_verified(language):
    printed = printed_page(as_pdf(certificate(language)))
    assert verified(text_in(printed), PUBLIC).told["place"] == "第三小学"
    assert printed.convert("L").getextrema()[0] == 0


def test_a_certificate_that_was_touched_is_not_believed():
    code = sealed({"no": "PA-1", "until": "2028-04-02"}, SECRET)
    assert verified(code, PUBLIC).told == {"no": "PA-1", "until": "2028-04-02"}
    forged = sealed({"no": "PA-1", "until": "2038-04-02"}, new_key(b"x" * 32)[0])
    mixed = ".".join([*forged.split(".")[:2], code.split(".")[2]])
    for wrong in (forged, mixed):
        with pytest.raises(NotAllowed, match="is not signed with this key"):
            verified(wrong, PUBLIC)


@given(k=st.integers(8, 200), letter=st.sampled_from("ABCdef019-_"))
def test_no_letter_of_a_code_can_be_changed(k, letter):
    code = sealed({"no": "PA-1", "place": "第三小学", "until": "2028-04-02"}, SECRET)
    k %= len(code)
    changed = code[:k] + letter + code[k + 1 :]
    if changed != code:
        try:
            told = verified(changed, PUBLIC).told
        except (BadInput, NotAllowed):
            return
        # the last letter of a base64 text has bits that mean nothing
        assert told == verified(code, PUBLIC).told
        assert k == len(code) - 1 or code[k + 1] == "."


@pytest.mark.parametrize("code", ["", "hello", "ANLAN1.x", "ANLAN1.$$$.x", "ANLAN1.eyJ9.x" * 200])
def test_what_is_no_code_is_told(code):
    with pytest.raises((BadInput, NotAllowed)):
        verified(code, PUBLIC)


def test_a_character_that_the_font_lacks_is_shown_as_missing():
    told = '[[part]]\nkind = "text"\ntext = { zh = "一 m² 😀", en = "x" }'
    kind = read_paper(f'id = "n"\ntitle = {{ zh = "纸", en = "paper" }}\n{told}')
    from anlan.papers.pdf import _shown  # noqa: PLC0415

    assert _shown(compose(kind, {}, "zh").blocks[0].text) == "一 m〓 〓"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "code"', 'kind = "stamp"', "kind must be one of heading"),
        ('en = "{place}"', 'en = "the place"', "must have the same words to fill in zh and in en"),
        ('en = "{place}"', 'en = "{Place}"', "has a brace that is no word to fill"),
        ('id = "certificate"', 'id = "certificate"\ncolour = 1', "'colour' is nothing that belongs here"),
        ("[[part]]", "[[part]", "must be TOML"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(old, new, said):
    from importlib.resources import files  # noqa: PLC0415

    text = (files("anlan.papers.library") / "certificate.toml").read_text()
    assert old in text
    with pytest.raises(BadInput, match=re.escape(said)):
        read_paper(text.replace(old, new, 1))


def test_the_plan_of_an_event_has_its_thirty_headings_on_paper():
    kind, case = at_state("planned_event", "submitted")
    paper = compose(shipped_paper("event_plan"), case_words(kind, case, case.values, WORK), "zh")
    headings = paper.blocks[-1].rows
    assert len(headings) == 31
    first = case.values["zones"][0]
    named = case_words(kind, case, case.values, WORK, {first["ground"]: {"zh": "大广场", "en": "the square"}})
    zones = compose(shipped_paper("event_plan"), named, "zh").blocks[2].rows
    assert zones[0][:2] == ("分区", "计数范围")
    assert zones[1][:2] == (first["zone"], "大广场")
    assert ("高处作业", "否", "—", "本活动无此项") in headings
    assert len(as_pdf(paper)) > 5000
