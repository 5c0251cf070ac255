"""The public page, asked as a browser without scripts asks it."""

import html
import re
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image
from tests.command.residents.conftest import FREE, HOME, LIGHT, NOISE, Town
from tests.matters.conftest import ground_point, picture

from anlan.command.residents.limits import Gauge
from anlan.command.residents.page import texts
from anlan.command.residents.seals import LONGEST_S, Seals
from anlan.command.residents.settings import read_settings
from anlan.kernel.errors import BadInput
from anlan.matters.due import forget_due
from anlan.matters.follow import LETTERS, new_code, plain
from anlan.matters.public import Report, report, resident


def form(town, lang="en"):
    """Open the form; return its seal, and the page."""
    page = town.http.get("/report", params={"lang": lang})
    assert page.status_code == 200
    return re.search(r'name="seal" value="([^"]+)"', page.text)[1], page.text


def filled(town, **given):
    lon, lat = ground_point(HOME)
    usual = {"seal": form(town)[0], "service": LIGHT, "lat": str(lat), "lon": str(lon), "words": "secret two lamps"}
    return usual | {"anyway": "1"} | given


def send(town, photo=None, lang="en", **given):
    files = {"photo": ("a.png", photo, "image/png")} if photo is not None else {"photo": ("", b"")}
    return town.http.post("/report", params={"lang": lang}, data=filled(town, **given), files=files)


def reported(town, **given):
    """Report on the page; return the code, and the page that follows."""
    made = send(town, **given)
    assert made.status_code == 303, told(made)
    return made.headers["location"].split("/")[2].split("?")[0], town.http.get(made.headers["location"])


def told(answer):
    """Return the text of a page."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def faults(answer, status=422):
    assert answer.status_code == status
    (found,) = re.findall(r'<div class="faults".*?</div>', answer.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "|", found))


def case_of(page):
    return re.search(r"<code>([0-9a-f]{12})</code>", page.text)[1]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_field_has_a_label_and_the_page_says_its_language(town, lang):
    _, page = form(town, lang)
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in page
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    asked = set(re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"', page))
    assert len(asked) > 15
    assert asked == labelled
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for text in ("路灯", "市政设施") if lang == "zh" else ("Street light", "Streets and lights"):
        assert text in page


def test_the_page_asks_no_other_host_and_runs_no_script_of_its_own(town):
    _, page = form(town)
    assert re.findall(r'(?:src|href|action)="(?!/|#)[^"]*"', page) == []
    assert "<style" not in page
    assert re.findall(r"<script(?! src)", page) == []
    for name in ("page.css", "where.js", "icon.svg"):
        assert town.http.get(f"/report/{name}").status_code == 200
    assert town.http.get("/report/page.html").status_code == 404


def test_both_languages_say_the_same_things():
    every = texts()
    assert set(every) == {"zh", "en"}
    assert every["zh"].keys() == every["en"].keys()
    for name, text in every["zh"].items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", every["en"][name]), name


def test_a_report_is_answered_with_a_code_and_a_promise(town):
    code, page = reported(town)
    assert re.fullmatch(f"[{LETTERS}]{{4}}(-[{LETTERS}]{{4}}){{2}}", code)
    assert code in told(page)
    assert "Promised by" in told(page)
    assert "Feb 2026" in told(page)
    seen = town.matters.read(case_of(page), town.anybody)
    assert seen.fields["source"] == "web"
    assert seen.fields["what"] == "secret two lamps"
    assert seen.history[0].actor_id == "reporter"
    assert "secret" not in told(page)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"service": ""}, "choose what it is"),
        ({"service": "mediation.rent"}, "choose what it is"),
        ({"lat": "", "lon": ""}, "choose where it is"),
        ({"lat": "", "lon": "", "place": "a:moon"}, "choose where it is"),
        ({"lat": "48.85", "lon": "2.35"}, "is not in Small"),
        ({"lat": "here"}, "Coordinates are in degrees"),
        ({"words": " "}, "say what you saw"),
        ({"words": "x" * 4001}, "too long"),
        ({"service": NOISE}, "Please fill in: where the noise comes from"),
        ({"service": NOISE, f"{NOISE}:noise_from": "aliens"}, "Please correct: where the noise comes from"),
        ({f"{LIGHT}:n_lamps": "many"}, "Please correct: number of lamps"),
        ({"website": "http://spam"}, "was to be left empty"),
        ({"seal": "forged"}, "press Send again"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_opened(town, given, said):
    def counted():
        return len(town.asked("requests.json").json())

    before = counted()
    answer = send(town, **given)
    assert said in faults(answer)
    assert counted() == before
    if given.get("words") is None:
        assert "secret two lamps</textarea>" in answer.text  # nothing that was written is lost


def test_places_may_be_chosen_by_name(town):
    code, page = reported(town, lat="", lon="", place="a:d-w-s-w", spot="corner")
    seen = town.matters.read(case_of(page), town.anybody)
    assert seen.row["lon"] is None
    assert "d-w-s-w" in seen.case.areas.values()
    assert seen.fields["where"].endswith("corner")
    assert code
    _, page = reported(town, lat="", lon="", place="p:garden")
    assert town.matters.read(case_of(page), town.anybody).row["lon"] is not None


def test_what_a_service_asks_is_kept_in_the_districts_time(town):
    asked = {f"{NOISE}:noise_from": "works", f"{NOISE}:heard_at": "2026-02-09T22:30"}
    _, page = reported(town, service=NOISE, **asked)
    seen = town.matters.read(case_of(page), town.anybody)
    assert seen.fields["heard_at"] == "2026-02-09T14:30:00+00:00"
    assert "Building works" in told(page)


def test_a_photo_is_kept_through_a_correction_and_loses_what_the_camera_wrote(town):
    image = Image.new("RGB", (8, 8), (1, 2, 3))
    exif = Image.Exif()
    exif[0x010F] = "secret camera"
    written = BytesIO()
    image.save(written, "JPEG", exif=exif)
    first = send(town, photo=written.getvalue(), words="")
    assert "say what you saw" in faults(first)
    kept = re.search(r'name="kept_photo" value="([^"]+)"', first.text)[1]
    _, page = reported(town, kept_photo=kept)
    case_id = case_of(page)
    (digest,) = town.matters.read(case_id, town.anybody).history[0].evidence.values()
    content, _ = town.matters.room.read(digest, town.matters.read(case_id, town.anybody).row["case_no"])
    assert b"secret camera" in written.getvalue()
    assert b"secret camera" not in content


@pytest.mark.parametrize("wrong", [b"%PDF-1.4", b"\xff\xd8\xffno picture", b"GIF89a"])
def test_what_is_no_picture_is_refused_beside_its_field(town, wrong):
    answer = send(town, photo=wrong)
    assert "must be a JPEG or PNG picture" in faults(answer)
    assert 'href="#photo"' in answer.text


def test_a_picture_of_more_points_than_memory_holds_is_refused(town):
    written = BytesIO()
    Image.new("1", (8000, 8000)).save(written, "PNG")
    assert "must be a JPEG or PNG" in faults(send(town, photo=written.getvalue()))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_photo_of_thirty_megabytes_is_refused_with_a_page(town, lang):
    answer = send(town, photo=b"\xff\xd8\xff" + bytes(30_000_000), lang=lang)
    assert "7.5 MB" in faults(answer, 413)
    assert ("照片太大" if lang == "zh" else "too large") in told(answer)


def test_pressing_twice_reports_once(town):
    given = filled(town)
    made = [town.http.post("/report", data=given, files={"photo": ("", b"")}) for _ in range(2)]
    assert made[0].headers["location"] == made[1].headers["location"]


def test_a_form_of_another_site_is_refused_as_a_page(town):
    answer = town.http.post("/report", data=filled(town), headers={"origin": "https://evil.example"})
    assert "只接受本服务器的页面写入" in faults(answer, 403)
    assert town.http.get("/report").headers["referrer-policy"] == "same-origin"


# -- somebody has told of this ---------------------------------------------------------------------------------------


def test_an_open_report_nearby_is_offered_before_another_is_taken(tmp_path):
    with Town(tmp_path).serving() as made:
        lon, lat = ground_point(HOME)
        _, page = reported(made)
        first = case_of(page)
        close = {"lat": str(lat + 0.0002), "lon": str(lon), "anyway": "", f"{LIGHT}:n_lamps": "2"}
        offered = send(made, photo=picture(), **close)
        assert offered.status_code == 200
        assert f'href="/report/{first}?lang=en"' in offered.text
        assert "secret" not in told(offered)
        public = made.http.get(f"/report/{first}?lang=en")
        assert "what anybody can see" in told(public)
        kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', offered.text))
        sent = made.http.post("/report", data={name: html.unescape(one) for name, one in kept.items()})
        assert sent.status_code == 303
        second = case_of(made.http.get(sent.headers["location"]))
        seen = made.matters.read(second, made.anybody)
        assert seen.fields["n_lamps"] == 2
        assert set(seen.history[0].evidence) == {"photo_reported"}
        far = {"lat": str(lat + 0.001), "lon": str(lon), "anyway": ""}
        assert send(made, **far).status_code == 303
        assert send(made, **close | {"service": "resident_request.waste"}).status_code == 303


def test_what_the_public_reads_by_area_is_offered_by_area_so_that_no_point_is_found_out(tmp_path):
    with Town(tmp_path).serving() as made:
        asked = {"service": NOISE, f"{NOISE}:noise_from": "venue"}
        _, page = reported(made, **asked)
        first = case_of(page)
        committee = made.matters.read(first, made.anybody).case.areas["committee"]
        for child in made.district.pack.areas.children(committee):
            lon, lat = ground_point(child.area_id)
            offered = send(made, lat=str(lat), lon=str(lon), anyway="", **asked)
            assert f"/report/{first}?" in offered.text
        lon, lat = ground_point("d-w-s-e-n")
        assert send(made, lat=str(lat), lon=str(lon), anyway="", **asked).status_code == 303


# -- what becomes of it ----------------------------------------------------------------------------------------------


def seal_of(page):
    return {"seal": re.search(r'name="seal" value="([^"]+)"', page.text)[1],
            "seen": re.search(r'name="seen" value="([^"]+)"', page.text)[1]}  # fmt: skip


def page_of(town, code, lang="en"):
    return town.http.get(f"/report/{code}", params={"lang": lang})


def test_a_report_is_followed_to_its_end_and_disputed_once(town):
    code, page = reported(town)
    case_id = case_of(page)
    town.step(case_id, "assign", note="secret note of staff")
    town.step(case_id, "accept")
    assert "In work" in told(page_of(town, code))
    town.step(case_id, "fix")
    page = page_of(town, code)
    assert "已换灯 secret answer" in told(page)
    assert "Kept" in told(page)
    assert "secret note of staff" not in told(page)
    (digest,) = re.findall(rf'src="/report/{code}/files/([0-9a-f]+)"', page.text)
    shown = town.http.get(f"/report/{code}/files/{digest}")
    assert shown.headers["content-type"] == "image/png"
    before = town.matters.read(case_id, town.anybody).history[-1].evidence["photo_before"]
    assert town.http.get(f"/report/{code}/files/{before}").status_code == 404
    assert town.http.get(f"/report/{case_id}/files/{digest}").status_code == 404
    note, sealed = {"note": "仍有一盏不亮"}, seal_of(page)
    made = town.http.post(f"/report/{code}/steps/dispute", data=seal_of(page) | note)
    assert made.status_code == 303
    seen = town.matters.read(case_id, town.anybody)
    assert (seen.case.state, seen.history[-1].note) == ("reopened", "仍有一盏不亮")
    town.step(case_id, "decline", by="another", filled={"reason": "means"})
    page = page_of(town, code)
    assert "The means are missing" in told(page)
    assert "steps/dispute" not in page.text
    again = town.http.post(f"/report/{code}/steps/dispute?lang=en", data=sealed | note)
    assert "has just happened" in faults(again)


def test_what_staff_asks_is_answered_on_the_page(town):
    code, page = reported(town)
    case_id = case_of(page)
    for step, note in (("assign", ""), ("accept", ""), ("ask", "哪一侧的路灯？")):
        town.step(case_id, step, note=note)
    page = page_of(town, code)
    assert "哪一侧的路灯？" in told(page)
    assert "哪一侧" not in told(page_of(town, case_id))
    made = town.http.post(f"/report/{code}/steps/resume", data=seal_of(page) | {"note": "北侧"})
    assert made.status_code == 303
    assert town.matters.read(case_id, town.anybody).case.state == "in_work"


def test_a_rating_is_given_with_one_choice(town):
    code, page = reported(town)
    case_id = case_of(page)
    for step in ("assign", "accept", "fix"):
        town.step(case_id, step)
    page = page_of(town, code)
    assert town.http.post(f"/report/{code}/steps/rate", data=seal_of(page) | {"satisfied": "yes"}).status_code == 303
    assert town.matters.read(case_id, town.anybody).fields["satisfied"] == "yes"
    missing = town.http.post(f"/report/{code}/steps/rate?lang=en", data=seal_of(page_of(town, code)))
    assert "Please fill in: satisfaction" in faults(missing)


def test_nobody_takes_a_step_of_staff_nor_without_the_code_nor_on_what_has_changed(town):
    code, page = reported(town)
    case_id = case_of(page)
    sealed = {"seal": form(town)[0], "seen": "1", "note": "x"}
    for step in ("assign", "forward", "none"):
        assert town.http.post(f"/report/{code}/steps/{step}", data=sealed).status_code == 422
    assert town.http.post(f"/report/{case_id}/steps/dispute", data=sealed).status_code == 404
    assert town.http.post(f"/report/{code}/steps/dispute", data={"note": "x", "seen": "1"}).status_code == 422
    town.step(case_id, "forward", filled={"forwarded_to": "city"})
    stale = town.http.post(f"/report/{code}/steps/dispute?lang=en", data=sealed)
    assert "has just happened" in faults(stale)
    assert town.matters.read(case_id, town.anybody).case.state == "forwarded"


@pytest.mark.parametrize("typed", ["{}", " {} ", "{l}", "{n}"])
def test_a_code_is_found_however_it_is_typed(town, typed):
    code, _ = reported(town)
    asked = typed.format(code, l=code.lower(), n=code.replace("-", " "))
    made = town.http.get("/report/follow", params={"code": asked, "lang": "en"})
    assert made.status_code == 303
    assert town.http.get(made.headers["location"]).status_code == 200
    assert plain(code) == code


def test_a_code_that_leads_nowhere_is_told_so_and_guessing_ends(tmp_path):
    with Town(tmp_path, FREE.replace("wrong_codes_per_hour = 100000", "wrong_codes_per_hour = 3")).serving() as made:
        code, _ = reported(made)
        assert [page_of(made, new_code()).status_code for _ in range(5)] == [404, 404, 404, 429, 429]
        assert page_of(made, code).status_code == 429
        assert made.asked(f"tokens/{code}.json").status_code == 429


def test_forgetting_makes_the_page_of_a_report_dead(tmp_path):
    with Town(tmp_path).serving() as made:
        code, page = reported(made)
        case_id = case_of(page)
        made.step(case_id, "forward", filled={"forwarded_to": "city"})
        made.wait(days=364)
        forget_due(made.matters, made.clock.now())
        assert page_of(made, code).status_code == 200
        made.wait(days=2)
        forget_due(made.matters, made.clock.now())
        assert "leads nowhere" in faults(page_of(made, code), 404)
        assert page_of(made, case_id).status_code == 404
        assert b"secret" not in (tmp_path / "data" / "records.db").read_bytes()


def test_nothing_but_public_types_is_read_by_its_number(town):
    town.fill()
    for case_id, (_, kind, secrets, _, _) in town.cases.items():
        page = page_of(town, case_id)
        assert (page.status_code == 200) == (kind.type_id == "resident_request")
        assert not [text for text in secrets.values() if text in page.text]


# -- limits and settings ---------------------------------------------------------------------------------------------


def test_of_one_address_only_so_many_reports_are_taken(tmp_path):
    with Town(tmp_path, FREE.replace("reports_per_hour = 100000", "reports_per_hour = 2")).serving() as made:
        assert [send(made).status_code for _ in range(3)] == [303, 303, 429]
        answer = send(made)
        assert "try again in 60 minutes" in faults(answer, 429)
        assert int(answer.headers["retry-after"]) > 3500
        assert page_of(made, reported_code(made)).status_code == 200


def test_photos_of_reports_that_are_not_taken_are_counted_too(tmp_path):
    with Town(tmp_path, FREE.replace("reports_per_hour = 100000", "reports_per_hour = 2")).serving() as made:
        answers = [send(made, photo=picture(str(k)), words="").status_code for k in range(8)]
        assert answers == [422] * 6 + [429] * 2


def reported_code(town):
    """Return the code of a report that no address sent."""
    lon, lat = ground_point(HOME)
    return report(town.matters, Report(code=LIGHT, lon=lon, lat=lat, words="x"), resident(town.matters)).code


def test_an_address_is_kept_as_a_hash_and_no_longer_than_it_is_counted():
    now = [0.0]
    gauge = Gauge(lambda: now[0])
    gauge.take("reports", "192.0.2.7", 1, 3600.0)
    assert "192.0.2.7" not in repr(vars(gauge))
    assert len(gauge) == 1
    now[0] = 3599.0
    assert len(gauge) == 1
    now[0] = 3600.0
    assert len(gauge) == 0
    gauge.take("reports", "192.0.2.7", 1, 3600.0)


def test_a_seal_is_good_for_half_a_day_and_cannot_be_forged():
    now = [1000.0]
    seals = Seals(lambda: now[0])
    seal = seals.form()
    now[0] += 5.0
    assert 4.8 < seals.age_s(seal) < 5.2
    assert seals.age_s(seal[:-1] + ("0" if seal[-1] != "0" else "1")) is None
    assert Seals(lambda: now[0]).age_s(seal) is None
    now[0] += LONGEST_S
    assert seals.age_s(seal) is None


def test_whoever_sends_at_once_is_asked_to_press_again(tmp_path):
    with Town(tmp_path, FREE.replace("least_s = 0", "least_s = 60")).serving() as made:
        assert "very quick" in faults(send(made))


def test_the_page_can_be_closed_and_stands_under_the_names_it_is_given(tmp_path):
    outside = {"host": "report.example.org"}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Town(tmp_path / "one", 'hosts = ["report.example.org"]\n' + FREE).serving() as made:
        assert made.http.get("/report", headers=outside).status_code == 200
        assert made.http.get("/open311/v2/services.json", headers=outside).status_code == 200
        for path in ("/", "/api/v1/district", "/docs", "/reporting", "/openapi.json"):
            assert made.http.get(path, headers=outside).status_code == 403
        sent = made.http.post("/report", data=filled(made), headers=outside | {"origin": "https://report.example.org"})
        assert sent.status_code == 303
    with Town(tmp_path / "two", "[page]\nopen = false\n").serving() as made:
        assert made.http.get("/report").status_code == 404
        assert made.asked("services.json").status_code == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[open311", "must be TOML"),
        ("[open311]\nposting = 'all'", "open311.posting must be one of anybody, key, nobody"),
        ("[limits]\nreports_per_hour = -1", "limits.reports_per_hour must be >= 0"),
        ("[limits]\nreports_per_hour = 'many'", "limits.reports_per_hour must be like 10"),
        ("[page]\nopen = 1", "page.open must be like True"),
        ("[pages]\nopen = true", "pages is nothing that belongs here"),
        ("hosts = [1]", "hosts must be a list of texts"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path, text, said):
    (tmp_path / "public.toml").write_text(text)
    with pytest.raises(BadInput, match=re.escape(said)):
        read_settings(tmp_path)


def test_what_a_district_leaves_out_is_as_shipped(tmp_path):
    (tmp_path / "public.toml").write_text("[limits]\nreports_per_hour = 3\n")
    shipped = read_settings(None)
    limits = replace(shipped.limits, reports_per_hour=3)
    assert read_settings(tmp_path) == replace(shipped, limits=limits)
