"""The pages of volunteers: joining without an account, everything without a script, leaving by one tap."""

import ast
import json
import re
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from icalendar import Calendar
from tests.command.conftest import BEGIN, served
from tests.small import small_pack
from tests.waiting import PATIENCE_S

import anlan.community
from anlan.command import create_app, volunteer_pages
from anlan.community.shifts import RULES
from anlan.district import District
from anlan.kernel.access import Scope
from anlan.kernel.clock import FollowedClock
from anlan.volunteers.calling import Wanted, call_out
from anlan.volunteers.joining import Invitation, counts, invite
from anlan.volunteers.rostering import NewShift, plan, shift

EVERYWHERE = Scope(True, frozenset())
HOUR = timedelta(hours=1)
AT = BEGIN.replace(hour=2)
"""Ten in the morning in Shanghai."""


class Site:
    """A small district that is served, with an invitation."""

    def __init__(self, folder):
        self.clock = FollowedClock(AT)
        self.district = District.open(small_pack(), folder, clock=self.clock)
        self.hall = self.district.community
        self.app = create_app(self.district)
        self.token = invite(self.hall, Invitation(label="集市 fair", area_id="31", most=5000), "test")[1]

    def browser(self, lang="en"):
        headers = {"accept-language": lang, "origin": self.url, "sec-fetch-site": "same-origin"}
        return httpx.Client(base_url=self.url, timeout=PATIENCE_S, follow_redirects=True, headers=headers)

    @contextmanager
    def joined(self, name="Li", lang="en", **more):
        """Yield a browser of somebody who has just joined."""
        told = {"name": name, "home": "31-w", "agree": "yes", "spoken": lang, "skill": ["first_aid"]} | more
        with self.browser(lang) as made:
            answer = made.post(f"/v/join/{self.token}", data=told)
            assert answer.status_code == 200, answer.text
            yield made

    def shift(self, begin_h=24.0, places=1, **more):
        begin = self.clock.now() + begin_h * HOUR
        new = NewShift(
            name={"zh": "引导", "en": "Guide <b>"}, lon=121.479, lat=31.22, begin_at=begin, end_at=begin + 4 * HOUR,
            places=places, **more,
        )  # fmt: skip
        return plan(self.hall, new, EVERYWHERE, "test")


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    with served(made.app) as made.url:
        yield made
    made.district.close()


def fields(page):
    return set(re.findall(r'name="(\w+)"', page.text))


def test_somebody_joins_by_a_link_and_is_known_by_a_link_of_their_own(site):
    with site.browser() as client:
        form = client.get(f"/v/join/{site.token}")
        assert {"name", "home", "skill", "language", "trade", "free", "contact", "agree"} <= fields(form)
        refused = client.post(f"/v/join/{site.token}", data={"name": "Li", "home": "31-w"})
        assert (refused.status_code, counts(site.hall, EVERYWHERE)["all"]) == (422, 0)
        assert 'value="Li"' in refused.text
        assert "Your consent must be given" in refused.text
        welcome = client.post(f"/v/join/{site.token}", data={"name": "Li", "home": "31-w", "agree": "yes"})
        link = re.search(r"http://[^<\s]+/v/in/[\w-]+", welcome.text)[0]
        assert "<svg" in welcome.text
        assert client.get("/v").status_code == 200
    with site.browser() as other:
        assert other.get("/v").status_code == 404
        assert other.get(link.removeprefix(site.url)).url.path == "/v"
        cookie = next(iter(other.cookies.jar))
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite").lower() == "lax"


def test_places_are_taken_swapped_by_both_and_given_up(site):
    first, second = site.shift(24), site.shift(72)
    with site.joined("One") as one, site.joined("Two") as two:
        assert "You have a place" in one.post(f"/v/shifts/{first}/sign-up").text
        assert "waiting list" in two.post(f"/v/shifts/{first}/sign-up").text
        two.post(f"/v/shifts/{first}/give-up")
        two.post(f"/v/shifts/{second}/sign-up")
        one.post(f"/v/shifts/{first}/offer")
        page = two.get("/v/open")
        assert "offered by One" in page.text
        key = re.search(r"/v/offers/(\w+)/take", page.text)[1]
        assert "may agree" in two.post(f"/v/offers/{key}/take", data={"back": second}).text
        assert "Two would swap" in one.get("/v").text
        one.post(f"/v/offers/{key}/settle", data={"agreed": "yes"})
        assert f"/v/shifts/{second}/give-up" in one.get("/v").text
        assert f"/v/shifts/{first}/give-up" in two.get("/v").text


def test_a_call_is_answered_on_the_page_and_met_is_told(site):
    with site.joined("One") as one, site.joined("Two") as two:
        made = call_out(site.hall, Wanted(lon=121.479, lat=31.22, quota=1, words="扶梯口 <i>"), EVERYWHERE, "test")
        assert "扶梯口 &lt;i&gt;" in one.get("/v").text
        assert "Take care of yourself" in one.post(f"/v/calls/{made['call_out_id']}", data={"reply": "yes"}).text
        assert "Enough are coming" in two.get("/v").text
        late = two.post(f"/v/calls/{made['call_out_id']}", data={"reply": "yes"})
        assert (late.status_code, "enough helpers" in late.text) == (409, True)
        one.post(f"/v/calls/{made['call_out_id']}", data={"reply": "no"})
        assert "Enough are coming" not in two.get("/v").text


def test_the_code_at_the_place_checks_in_and_out_and_gives_a_certificate(site):
    shift_id = site.shift(1)
    code = shift(site.hall, shift_id, EVERYWHERE)[1]
    with site.joined() as one, site.browser() as stranger:
        one.post(f"/v/shifts/{shift_id}/sign-up")
        assert one.post(f"/v/here/{code}").status_code == 409
        site.clock.set(site.clock.now() + HOUR)
        assert one.get("/v/here", params={"code": f"{code[:4]}-{code[4:].lower()}"}).url.path == f"/v/here/{code}"
        assert "I am leaving" in one.post(f"/v/here/{code}").text
        site.clock.set(site.clock.now() + 2 * HOUR)
        assert "120 min" in one.post(f"/v/here/{code}").text
        assert one.get("/v/hours.pdf").content.startswith(b"%PDF-")
        assert stranger.get(f"/v/here/{code}").status_code == 404


def test_what_is_kept_is_changed_taken_along_and_deleted_by_one_tap(site):
    with site.joined("Unforgettable", contact="mailto:me@example.org") as one:
        assert "mailto" not in one.get("/v/me").text
        one.post("/v/me", data={"name": "Renamed", "home": "31-e", "skill": ["aed", "driving"]})
        told = one.get("/v/mine.json").json()
        assert (told["shown_name"], told["home"], told["skills"]) == ("Renamed", "31-e", ["aed", "driving"])
        assert told["contact"] == "mailto:me@example.org"
        one.post("/v/me", data={"name": "Renamed", "home": "31-e", "no_contact": "yes"})
        assert one.get("/v/mine.json").json()["contact"] == ""
        gone = one.post("/v/leave")
        assert "has been deleted" in gone.text
        assert one.get("/v").status_code == 404
    assert counts(site.hall, EVERYWHERE)["all"] == 0


def test_a_calendar_has_a_link_of_its_own_that_opens_nothing_else(site):
    shift_id = site.shift(24)
    with site.joined() as one, site.browser() as program:
        one.post(f"/v/shifts/{shift_id}/sign-up")
        link = re.search(r"/v/calendar/([\w-]+)\.ics", one.post("/v/calendar-link").text)
        made = Calendar.from_ical(program.get(link[0]).content)
        assert [str(entry["uid"]) for entry in made.walk("VEVENT")] == [f"{shift_id}@community.anlan"]
        assert program.get(f"/v/in/{link[1]}").status_code == 404
        assert program.get("/v").status_code == 404
        assert one.get("/v/calendar.ics").content == program.get(link[0]).content


def test_another_link_ends_the_one_before(site):
    with site.joined() as one, site.browser() as other:
        fresh = re.search(r"/v/in/[\w-]+", one.post("/v/link").text)[0]
        assert other.get(fresh).url.path == "/v"
        newer = re.search(r"/v/in/[\w-]+", one.post("/v/link").text)[0]
        assert newer != fresh
        assert other.get("/v").status_code == 404


def test_a_consent_that_ends_soon_is_asked_for_and_given(site):
    with site.joined() as one:
        assert "Your year ends soon" not in one.get("/v").text
        site.clock.set(site.clock.now() + timedelta(days=340))
        assert "Your year ends soon" in one.get("/v").text
        assert "Your year ends soon" not in one.post("/v/agree").text


def test_a_form_of_another_site_is_refused(site):
    with site.joined() as one:
        answer = one.post("/v/leave", headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
    assert counts(site.hall, EVERYWHERE)["all"] == 1


class Checked(HTMLParser):
    """Reads a page as a browser does: what opens, closes; what is labelled; what would run."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "script" or any(name.startswith("on") or name == "style" for name in told):
            self.faults.append(f"{tag} with {sorted(told)}")
        if tag in {"input", "select", "textarea"} and told.get("type") != "hidden" and "label" not in self.open:
            self.faults.append(f"{tag} {told.get('name')} without a label")
        if tag not in {"meta", "link", "input", "br", "path"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in {"meta", "link", "input", "br", "path"}:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_is_well_formed_labelled_without_a_script_and_in_its_language(site, lang):
    held, offered = site.shift(24), site.shift(72)
    with site.joined("甲 & <A>", lang) as one, site.joined("乙", lang) as two, site.browser(lang) as stranger:
        for client, key in ((one, held), (two, offered)):
            client.post(f"/v/shifts/{key}/sign-up")
        two.post(f"/v/shifts/{offered}/offer")
        site.shift(120)
        call_out(site.hall, Wanted(lon=121.479, lat=31.22, quota=2, words="帮忙"), EVERYWHERE, "test")
        code = shift(site.hall, held, EVERYWHERE)[1]
        paths = ["/v", "/v/open", "/v/me", f"/v/here/{code}", "/v/here/NONE"]
        pages = [one.get(path) for path in paths] + [stranger.get(path) for path in ("/v", f"/v/join/{site.token}")]
        pages += [one.post("/v/link"), one.post("/v/calendar-link"), one.post(f"/v/shifts/{held}/sign-up")]
        for page in pages:
            read = Checked()
            read.feed(page.text)
            assert (read.faults, read.open) == ([], []), page.url
            assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in page.text[:60]
            assert page.headers["cache-control"] == "no-store"
            if lang == "zh":
                plain = re.sub(r"<[^>]*>|https?://\S+|&\w+;", " ", page.text)
                words = set(re.findall(r"[A-Za-z]{3,}", plain)) - {"English", "Guide", "PDF", "iCal"}
                assert words <= {"Small", "West", "East", "fair"}, page.url
        assert "&lt;A&gt;" in one.get("/v/me").text


def test_the_language_changes_for_good(site):
    with site.joined(lang="en") as one:
        assert "Coming up" in one.get("/v").text
        assert "接下来" in one.post("/v/language", data={"spoken": "zh"}).text
        assert "接下来" in one.get("/v?lang=en").text


def test_every_text_is_there_in_both_languages_and_used():
    texts = volunteer_pages._texts()
    assert all(set(one) == {"zh", "en"} and all(one.values()) for one in texts.values())
    folder = Path(volunteer_pages.__file__).parent
    drawn = "".join(path.read_text(encoding="utf-8") for path in (folder / "pages").glob("*.html"))
    drawn += (folder / "volunteer_pages.py").read_text(encoding="utf-8")
    unused = [key for key in texts if f'"{key}"' not in drawn and f"'{key}'" not in drawn]
    spoken = {f"said_{key}" for key in re.findall(r'"(\w+)"', drawn)}
    assert [key for key in unused if key not in spoken and not key.startswith("slot_")] == []


def test_every_refusal_of_the_shifts_and_calls_is_worded_in_chinese():
    folder = Path(anlan.community.__file__).parent
    rules = set(RULES.values())
    for name in ("shifts.py", "callouts.py"):
        for node in ast.walk(ast.parse((folder / name).read_text(encoding="utf-8"))):
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 3
            if (
                made
                and node.func.id in {"Conflict", "NotFound", "NotAllowed"}
                and isinstance(node.args[1], ast.Constant)
            ):
                rules.add(node.args[1].value)
    known = json.loads((Path(volunteer_pages.__file__).parent / "pages" / "faults.json").read_text(encoding="utf-8"))
    assert len(rules) > 14
    assert rules <= set(known)
