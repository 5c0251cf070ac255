"""The certificate proves itself, the calendar replaces itself, and only the gateway sees a contact."""

import base64
import io
import re
import zlib
from datetime import timedelta

import pytest
from icalendar import Calendar
from tests.volunteers.conftest import EVERYWHERE, spot

from anlan.community import Reply
from anlan.kernel.errors import NoData, NotAllowed
from anlan.papers import new_key, sealed, shipped_paper, verified
from anlan.store import volunteerbook as book
from anlan.volunteers import Wanted, call_out, hours, keep_house
from anlan.volunteers.calling import reply
from anlan.volunteers.joining import leave
from anlan.volunteers.rostering import cancel, complete_shift, enter, give_up, here, of_volunteer, shift
from anlan.volunteers.sending import outbox, sent

CONTACT = "sms:+8613800138000"


def served(lite, minutes=150):
    """Let somebody serve a shift; return their number."""
    number, shift_id = lite.joined("Li"), lite.shift(1)
    enter(lite.hall, number, shift_id)
    code = shift(lite.hall, shift_id, EVERYWHERE)[1]
    lite.wait(hours=1)
    here(lite.hall, number, code)
    lite.wait(minutes=minutes)
    here(lite.hall, number, code)
    return number


def told_of(lite, number, language, monkeypatch):
    """Return the code of a certificate, as it is handed to the paper, with its PDF."""
    kept = []
    real = hours.compose

    def noting(kind, words, spoken):
        kept.append(words)
        return real(kind, words, spoken)

    monkeypatch.setattr(hours, "compose", noting)
    return hours.certificate(lite.hall, number, language), kept[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_certificate_proves_its_hours_and_names_nobody(lite, monkeypatch, language):
    number = served(lite)
    pdf, words = told_of(lite, number, language, monkeypatch)
    assert pdf.startswith(b"%PDF-")
    told = verified(words["code"], lite.hall.sealing.signing()[1]).told
    assert (told["minutes"], told["shifts"], told["kind"]) == ("150", "1", "volunteer_hours")
    assert "Li" not in str(words)
    _, other = new_key(bytes(32))
    with pytest.raises(NotAllowed):
        verified(words["code"], other)
    forged = sealed(dict(told) | {"minutes": "9000"}, bytes(32))
    with pytest.raises(NotAllowed):
        verified(forged, lite.hall.sealing.signing()[1])


def test_what_was_not_checked_out_is_told_and_not_counted(lite, monkeypatch):
    number = served(lite)
    lite.wait(days=1)
    second = lite.shift(1)
    enter(lite.hall, number, second)
    lite.wait(hours=1)
    here(lite.hall, number, shift(lite.hall, second, EVERYWHERE)[1])
    _, words = told_of(lite, number, "en", monkeypatch)
    assert (words["n_shifts"], words["hours"]) == (1, 2.5)
    assert words["open_note"].startswith("1 more")
    lite.wait(hours=4)
    complete_shift(lite.hall, second, EVERYWHERE, "test")
    assert told_of(lite, number, "en", monkeypatch)[1]["hours"] == 6.5


def test_without_hours_there_is_no_certificate(lite):
    with pytest.raises(NoData):
        hours.certificate(lite.hall, lite.joined())
    assert "shifts" in shipped_paper("volunteer_hours").slots()


def test_the_page_of_a_certificate_shows_its_code_as_bars(lite):
    pdf = hours.certificate(lite.hall, served(lite), "zh")
    streams = [zlib.decompress(_ascii85(part)) for part in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)]
    assert max(part.count(b" re") for part in streams) > 400


def _ascii85(part):
    return base64.a85decode(part.strip().removesuffix(b"~>"))


def test_a_calendar_holds_shifts_with_their_zone_and_a_cancelled_one_replaces_itself(lite):
    number, first, second = lite.joined(), lite.shift(24), lite.shift(72)
    for one in (first, second):
        enter(lite.hall, number, one)
    cancel(lite.hall, first, EVERYWHERE, "test")
    made = Calendar.from_ical(hours.calendar(lite.hall, of_volunteer(lite.hall, number), "en"))
    entries = {str(one["uid"]): one for one in made.walk("VEVENT")}
    off, on = entries[f"{first}@community.anlan"], entries[f"{second}@community.anlan"]
    assert (off["status"], off["sequence"], on["status"], on["sequence"]) == ("CANCELLED", 1, "CONFIRMED", 0)
    assert on.decoded("dtend") - on.decoded("dtstart") == timedelta(hours=4)
    assert str(on.decoded("dtstart").tzinfo) == "Asia/Shanghai"
    assert made.walk("VTIMEZONE")


def begin(lite, quota=1):
    lon, lat = spot(-300, -300)
    return call_out(lite.hall, Wanted(lon=lon, lat=lat, quota=quota, words="帮忙 help"), EVERYWHERE, "test")


def test_only_the_outbox_shows_a_contact_each_reading_is_in_the_log_and_what_is_sent_is_gone(kept):
    kept.joined("One", contact=CONTACT, spoken="en")
    kept.joined("No contact")
    begin(kept)
    made = outbox(kept.hall, "gateway")
    assert [(one.contact, one.language) for one in made] == [(CONTACT, "en")]
    assert "帮忙 help" in made[0].text
    log = [change for change in kept.store.changes() if change.kind == "outbox"]
    assert [(change.actor, change.body) for change in log] == [("gateway", {"n": 1})]
    assert sent(kept.hall, [one.message_no for one in made]) == 1
    assert outbox(kept.hall, "gateway") == []


def test_when_enough_come_or_somebody_leaves_nothing_more_is_sent_to_them(lite):
    people = [lite.joined(f"P{k}", contact=CONTACT) for k in range(3)]
    key = begin(lite)["call_out_id"]
    assert len(outbox(lite.hall, "g")) == 2
    with lite.store.reading() as connection:
        first = book.rows(connection, book.ask)[0]["volunteer_no"]
    reply(lite.hall, first, key, Reply.YES)
    assert outbox(lite.hall, "g") == []
    begin(lite, quota=3)
    assert len(outbox(lite.hall, "g")) == 3
    leave(lite.hall, people[0])
    assert len(outbox(lite.hall, "g")) == 2


@pytest.mark.parametrize("language", ["zh", "en"])
def test_who_moves_up_or_is_called_off_is_told_in_their_language(lite, language):
    one, two = lite.joined("One"), lite.joined("Two", contact=CONTACT, spoken=language)
    shift_id = lite.shift(places=1)
    enter(lite.hall, one, shift_id)
    enter(lite.hall, two, shift_id)
    give_up(lite.hall, one, shift_id)
    cancel(lite.hall, shift_id, EVERYWHERE, "test")
    texts = [one.text for one in outbox(lite.hall, "g")]
    assert len(texts) == 2
    assert all({"zh": "引导", "en": "Guide"}[language] in text and "12-08 10:00" in text for text in texts)


def test_a_consent_that_ends_soon_is_asked_for_once(lite):
    lite.joined(contact=CONTACT)
    lite.wait(days=340)
    keep_house(lite.hall)
    assert len(outbox(lite.hall, "g")) == 1
    keep_house(lite.hall)
    assert len(outbox(lite.hall, "g")) == 1


def test_the_language_of_a_paper_is_told_to_readers(lite):
    assert b"/Lang" in io.BytesIO(hours.certificate(lite.hall, served(lite), "zh")).getvalue()
