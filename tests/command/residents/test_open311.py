"""GeoReport v2 by the letter of its text: paths, names, order, forms, filters and errors."""

import importlib
import io
import itertools
import json
import warnings
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import georeport
import pytest
from tests.command.residents.conftest import FREE, HOME, LIGHT, NOISE, Town
from tests.matters.conftest import ground_point, picture

from anlan.kernel.access import Actor, Grant
from anlan.kernel.clock import parse_moment
from anlan.matters import NewCase, public
from anlan.matters.due import forget_due

SERVICE = ["service_code", "service_name", "description", "metadata", "type", "keywords", "group"]
ATTRIBUTE = ["variable", "code", "datatype", "required", "datatype_description", "order", "description"]
REQUEST = [
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
    "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode",
    "lat", "long", "media_url",
]  # fmt: skip
LISTS = {"services", "service_requests", "attributes", "values", "errors", "endpoints", "formats"}


def tree(answer, status=200):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.text.lower().startswith('<?xml version="1.0" encoding="utf-8"?>')
    return ET.fromstring(answer.content)  # noqa: S314 - our own answer


def spark(element):
    """Turn XML into JSON by the convention's own words, apart from the code."""
    if element.tag in LISTS:
        return [spark(child) for child in element]
    if len(element):
        return {child.tag: spark(child) for child in element}
    return element.text


def plain(value):
    """Return JSON with its leaves as XML has them: texts."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def refused(answer, status, said):
    """Return the description of an error that has the standard's form."""
    (error,) = tree(answer, status)
    assert [one.tag for one in error] == ["code", "description"]
    assert error[0].text == str(status)
    assert said in error[1].text
    return error[1].text


def test_discovery_tells_the_endpoint_and_both_formats(town):
    for path in ("discovery", "../discovery"):
        found = tree(town.asked(f"{path}.xml"))
        assert [one.tag for one in found] == ["changeset", "contact", "key_service", "endpoints"]
        (endpoint,) = found[3]
        assert [one.tag for one in endpoint] == ["specification", "url", "changeset", "type", "formats"]
        assert endpoint[0].text == "http://wiki.open311.org/GeoReport_v2"
        assert [one.text for one in endpoint[4]] == ["text/xml", "application/json"]
        assert town.http.get(f"{endpoint[1].text}/services.xml").status_code == 200
        assert endpoint[3].text == "production"


def test_the_list_of_services_has_the_standards_fields_in_both_languages(town):
    zh, en = tree(town.asked("services.xml", lang="zh")), tree(town.asked("services.xml", lang="en"))
    assert [[one.tag for one in service] for service in zh] == [SERVICE] * 6
    assert [one[0].text for one in zh] == [one[0].text for one in en]
    light = {lang: next(one for one in found if one[0].text == LIGHT) for lang, found in (("zh", zh), ("en", en))}
    assert [light["zh"].findtext(name) for name in ("service_name", "group")] == ["路灯", "市政设施"]
    assert [light["en"].findtext(name) for name in ("service_name", "group")] == ["street light", "Streets and lights"]
    assert light["en"].findtext("metadata") == "true"
    assert light["en"].findtext("type") == "realtime"
    assert town.asked("services.xml").headers["content-language"] == "zh"
    accepted = town.http.get("/open311/v2/services.xml", headers={"accept-language": "fr, en;q=0.8"})
    assert accepted.headers["content-language"] == "en"


def test_a_definition_asks_for_public_fields_only_and_says_which_are_needed(town):
    found = tree(town.asked(f"services/{NOISE}.xml", lang="en"))
    assert [one.tag for one in found] == ["service_code", "attributes"]
    source, heard = found[1]
    assert [one.tag for one in source] == [*ATTRIBUTE, "values"]
    assert [source.findtext(one) for one in ("code", "datatype", "required", "order")] == [
        "noise_from", "singlevaluelist", "true", "1",
    ]  # fmt: skip
    assert {one.findtext("key"): one.findtext("name") for one in source.find("values")}["works"] == "building works"
    assert [heard.findtext(one) for one in ("code", "datatype", "required", "order")] == [
        "heard_at", "datetime", "false", "2",
    ]  # fmt: skip
    number = tree(town.asked(f"services/{LIGHT}.xml"))[1][0]
    assert number.findtext("datatype") == "number"
    assert number.findtext("datatype_description") == "1 至 500"


PATHS = ["discovery", "services", f"services/{NOISE}", "requests", "requests/{id}", "tokens/{code}"]


@pytest.mark.parametrize("path", PATHS)
def test_json_is_what_the_spark_convention_makes_of_the_xml(town, path):
    case_id, code = town.reported()
    path = path.format(id=case_id, code=code)
    made = town.asked(f"{path}.json")
    assert made.headers["content-type"] == "application/json; charset=utf-8"
    assert plain(made.json()) == spark(tree(town.asked(f"{path}.xml")))


def test_an_error_is_a_list_in_json_too(town):
    (error,) = town.asked("services/none.json").json()
    assert error["code"] == 404
    assert "does not exist" in error["description"]


def test_a_report_is_answered_with_its_id_and_a_notice(town):
    ((told,),) = [tree(town.post("xml", lang="en"))]
    assert [one.tag for one in told] == ["service_request_id", "service_notice", "account_id"]
    found = tree(town.asked(f"requests/{told[0].text}.xml"))[0]
    assert [one.tag for one in found] == REQUEST
    assert found.findtext("status") == "open"
    assert found.findtext("service_code") == LIGHT
    at = found.findtext("requested_datetime")
    assert at.endswith("+08:00")
    assert parse_moment(at) == town.clock.now()
    assert parse_moment(found.findtext("expected_datetime")) > town.clock.now() + timedelta(days=9)


def test_a_report_is_a_case_with_what_was_told_and_nobody_in_it(town):
    sent = {
        "first_name": "Li",
        "last_name": "Lei",
        "email": "li@lei",
        "phone": "123",
        "device_id": "d",
        "account_id": "7",
    }
    case_id, _ = town.reported(**sent, address_string="弄堂口第三根灯杆", **{"attribute[n_lamps]": "2"})
    seen = town.matters.read(case_id, town.anybody)
    assert dict(seen.fields) == {
        "kind": "light", "source": "open311", "what": "两盏不亮 secret words", "where": "弄堂口第三根灯杆",
        "n_lamps": 2,
    }  # fmt: skip
    assert seen.history[0].actor_id == "reporter"
    written = json.dumps([one.body for one in town.district.store.changes(limit=100_000)])
    for word in ("li@lei", "12345", "d-311", "secret"):
        assert word not in written


@pytest.mark.parametrize("given", ["address_id", "address_string"])
def test_a_place_may_be_told_by_id_or_name_of_a_place_or_a_small_area(town, given):
    area = town.district.pack.areas.area("d-w-s-w")
    for told, within in (("garden", None), (area.area_id, area.area_id)):
        name = told if given == "address_id" else "我在园 旁边" if told == "garden" else f"{area.name['zh']}某处"
        case_id, _ = town.reported(**{"lat": "", "long": "", given: name})
        seen = town.matters.read(case_id, town.anybody)
        assert (seen.row["lon"] is None) == (told != "garden")
        assert within is None or within in seen.case.areas.values()


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        ({"service_code": ""}, 400, "service_code must be given"),
        ({"service_code": "resident_request.moon"}, 404, "does not exist"),
        ({"service_code": "mediation.rent"}, 404, "does not exist"),
        ({"jurisdiction_id": "paris"}, 404, "jurisdiction_id='paris' must be small"),
        ({"lat": "48.85", "long": "2.35"}, 400, "must lie inside the district"),
        ({"lat": "north"}, 400, "must be a number of degrees"),
        ({"lat": "nan"}, 400, "must be from -90 to 90"),
        ({"long": "200"}, 400, "must be from -180 to 180"),
        ({"lat": "", "long": ""}, 400, "the place must be given"),
        ({"lat": "", "long": "", "address_string": "月球"}, 400, "must hold the name of a place"),
        ({"lat": "", "long": "", "address_id": "moon"}, 400, "must be a place or an area"),
        ({"lat": "", "long": "", "address_id": "d"}, 400, "too large"),
        ({"media_url": "http://pictures.example/1.jpg"}, 400, "is not followed"),
        ({"service_code": NOISE}, 400, "noise_from must be given"),
        ({"service_code": NOISE, "attribute[noise_from]": "aliens"}, 400, "must be one of"),
        ({"attribute[n_lamps]": "many"}, 400, "must be a whole number"),
        ({"attribute[n_lamps]": "0"}, 400, "must be from 1 to 500"),
        ({"attribute[n_lamps][]": ["1", "2"]}, 400, "must be a whole number"),
        ({"attribute[source]": "hotline"}, 400, "must be one that"),
        ({"attribute[answer]": "done"}, 400, "must be one that"),
        ({"description": "x" * 4001}, 400, "at most 4000"),
        ({"api_key": "anlan_wrong"}, 403, "this api_key"),
    ],
)
def test_a_report_that_cannot_be_taken_is_refused_and_opens_nothing(town, told, status, said):
    def counted():
        return len(town.asked("requests.json").json())

    before = counted()
    refused(town.post("xml", **told), status, said)
    assert counted() == before


def test_a_request_outside_the_district_is_told_which_point_it_was(town):
    assert "2.35000, 48.85000" in refused(town.post("xml", lat="48.85", long="2.35"), 400, "the place")


def test_a_photo_comes_in_parts_and_stays_with_staff(town):
    lon, lat = ground_point(HOME)
    data = {"service_code": LIGHT, "lat": str(lat), "long": str(lon), "description": "见图"}
    sent = town.http.post("/open311/v2/requests.json", data=data, files={"media": ("a.png", picture(), "image/png")})
    case_id = sent.json()[0]["service_request_id"]
    assert set(town.matters.read(case_id, town.anybody).history[0].evidence) == {"photo_reported"}
    assert town.asked(f"requests/{case_id}.json").json()[0]["media_url"] is None
    wrong = town.http.post("/open311/v2/requests.xml", data=data, files={"media": ("a.pdf", b"%PDF-1", "image/png")})
    refused(wrong, 400, "must be a JPEG or PNG picture")
    named = town.http.post("/open311/v2/requests.xml", data=data, files={"file": ("a.png", picture(), "image/png")})
    refused(named, 400, "must be called media")
    large = town.http.post("/open311/v2/requests.xml", data=data, files={"media": ("a.png", b"x" * 9_000_000)})
    assert "at most 8000000" in refused(large, 413, "body of")


@pytest.mark.parametrize(
    ("path", "status"),
    [("services.csv", 404), ("services", 404), ("nothing.xml", 404), ("requests/none.xml", 404), ("tokens/x.xml", 404)],
)
def test_what_does_not_exist_is_404_in_the_standards_form(town, path, status):
    refused(town.asked(path), status, "")


def test_a_body_that_is_no_form_is_refused(town):
    for body, kind in ((b"{}", "application/json"), (b"a=%ff", ""), (b"--", "multipart/form-data; boundary=x")):
        sent = town.http.post("/open311/v2/requests.xml", content=body, headers={"content-type": kind})
        assert sent.status_code == 400
        refused(sent, 400, "")
    refused(town.http.delete("/open311/v2/requests.xml"), 400, "another method")


# -- lists -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """A district in which something was reported on each tenth day, by turns of two kinds; every third has ended."""
    with Town(tmp_path_factory.mktemp("year")).serving() as made:
        made.ids = {}
        begun = made.clock.now()
        for k in range(20):
            made.clock.set(begun + timedelta(days=10 * k))
            told = {"service_code": NOISE, "attribute[noise_from]": "works"} if k % 2 else {}
            case_id, _ = made.reported(**told)
            if k % 3 == 0:
                made.step(case_id, "forward", filled={"forwarded_to": "city"})
            made.ids[k] = case_id
        made.begun = begun
        yield made


def listed(town, **params):
    found = tree(town.asked("requests.xml", **params))
    ids = {one: k for k, one in town.ids.items()}
    return [ids[one.findtext("service_request_id")] for one in found]


def at(town, days):
    return (town.begun + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, range(10, 20)),
        ({"status": "closed"}, [12, 15, 18]),
        ({"status": "open"}, [10, 11, 13, 14, 16, 17, 19]),
        ({"status": "open,closed"}, range(10, 20)),
        ({"service_code": NOISE}, [11, 13, 15, 17, 19]),
        ({"service_code": f"{NOISE},{LIGHT}"}, range(10, 20)),
        ({"service_code": NOISE, "status": "closed"}, [15]),
        ({"start_date": 0, "end_date": 40}, range(5)),
        ({"start_date": 0}, range(10)),
        ({"end_date": 100}, range(1, 11)),
        ({"start_date": 150}, range(15, 20)),
        ({"page_size": "3"}, [17, 18, 19]),
        ({"page_size": "3", "page": "2"}, [14, 15, 16]),
        ({"start_date": "", "status": "", "page": ""}, range(10, 20)),
    ],
)
def test_a_list_holds_what_is_asked_newest_first(year, params, expected):
    told = {key: at(year, one) if isinstance(one, int) else one for key, one in params.items()}
    assert listed(year, **told) == sorted(expected, reverse=True)


def test_ids_override_every_other_filter(year):
    asked = f"{year.ids[0]},{year.ids[7]}, none"
    assert listed(year, service_request_id=asked, status="closed", start_date=at(year, 180)) == [0, 7]


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"start_date": 0, "end_date": 91}, 400, "at most 90 days"),
        ({"start_date": 40, "end_date": 0}, 400, "must end after it begins"),
        ({"start_date": "9999-12-31T00:00:00Z"}, 400, "must be of the years"),
        ({"end_date": "0001-01-01T00:00:00+08:00"}, 400, "must be of the years"),
        ({"start_date": "yesterday"}, 400, "must be an ISO 8601 moment"),
        ({"start_date": "2026-02-10T00:00:00"}, 400, "must carry a time zone"),
        ({"status": "pending"}, 400, "must be open, closed or both"),
        ({"service_code": "moon"}, 404, "does not exist"),
        ({"jurisdiction_id": "paris"}, 404, "must be small"),
        ({"page_size": "1001"}, 400, "from 1 to 1000"),
        ({"page": "0"}, 400, "from 1 to 1000"),
    ],
)
def test_a_filter_that_cannot_be_kept_is_refused(year, params, status, said):
    told = {key: at(year, one) if isinstance(one, int) else one for key, one in params.items()}
    refused(year.asked("requests.xml", **told), status, said)


def test_a_list_that_cannot_be_looked_through_is_refused_and_not_cut(year, monkeypatch):
    monkeypatch.setattr(public, "AT_ONCE", 2)
    monkeypatch.setattr(public, "LOOKED_AT", 4)
    assert listed(year, page_size="3") == [19, 18, 17]
    refused(year.asked("requests.xml"), 400, "ask for a shorter span")


def test_a_closed_request_tells_when_and_why_it_ended(year):
    found = tree(year.asked(f"requests/{year.ids[18]}.xml", lang="en"))[0]
    assert found.findtext("status") == "closed"
    assert found.findtext("status_notes") == "not ours, forwarded; city department"
    assert parse_moment(found.findtext("updated_datetime")) == year.begun + timedelta(days=180)
    assert found.findtext("expected_datetime") is None or not found.findtext("expected_datetime")


# -- keys and settings -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    settings = '[open311]\nposting = "key"\nanswers = "token"\n' + FREE
    with Town(tmp_path_factory.mktemp("keyed"), settings).serving() as made:
        yield made


def key_of(town, *rights, area="d"):
    with town.asking(headers={"authorization": "Bearer of-this-machine"}) as client:
        every = {"cases.read", "cases.act", "cases.resident_request.reporter"}
        town.app.state.terminals = {"of-this-machine": terminal(every)}
        made = client.post("/keys", json={"label": "app", "rights": list(rights), "area": area})
        assert made.status_code == 201, made.text
        return made.json()["key"]


def terminal(rights):
    grant = Grant(role_id="", area_id="d", from_at=parse_moment("2020-01-01T00:00:00Z"))
    return Actor(actor_id="terminal", grants=(grant,), rights=frozenset({"accounts.read", "accounts.act", *rights}))


def test_where_a_key_is_asked_nobody_reports_without_one(keyed):
    refused(keyed.post("xml"), 403, "api_key must be given")
    refused(keyed.post("xml", api_key="wrong"), 403, "this api_key is not known")


def test_a_key_reports_as_the_program_that_it_was_given_to_and_in_its_area(keyed):
    good = key_of(keyed, "cases.act", "cases.resident_request.reporter", area="d-w")
    told = tree(keyed.post("xml", api_key=good))[0]
    assert [one.tag for one in told] == ["token", "service_notice", "account_id"]
    found = tree(keyed.asked(f"tokens/{told[0].text}.xml"))[0]
    assert [one.tag for one in found] == ["service_request_id", "token"]
    case = keyed.matters.read(found[0].text, keyed.anybody)
    assert case.history[0].actor_id.startswith("key:")
    lon, lat = ground_point("d-e-n-e-n")
    refused(keyed.post("xml", api_key=good, lat=str(lat), long=str(lon)), 403, "must be granted")
    poor = key_of(keyed, "cases.act")
    refused(keyed.post("xml", api_key=poor), 403, "must be granted")
    assert tree(keyed.asked("services.xml"))[0].findtext("type") == "batch"


def test_reporting_and_reading_can_be_closed(tmp_path):
    settings = '[open311]\nreading = false\nposting = "nobody"\n' + FREE
    with Town(tmp_path, settings).serving() as made:
        refused(made.post("xml"), 404, "is not open here")
        refused(made.asked("requests.xml"), 404, "is not open here")
        assert made.asked("services.xml").status_code == 200


def test_whoever_asks_too_often_waits(tmp_path):
    settings = "[limits]\nreports_per_hour = 2\nasks_per_minute = 8\n"
    with Town(tmp_path, settings).serving() as made:
        assert [made.post().status_code for _ in range(4)] == [200, 200, 429, 429]
        assert made.asked("services.xml").status_code == 200
        over = [made.asked("services.xml") for _ in range(6)][-1]
        refused(over, 429, "wait")
        assert 1 <= int(over.headers["retry-after"]) <= 60


# -- nothing else comes out ------------------------------------------------------------------------------------------


def test_no_answer_tells_what_is_not_the_publics(town):
    """Cases of every type, with a secret in each text: none is in any answer, and none but a public type is listed."""
    town.fill()
    case_id, _ = town.reported(address_string="secret address")
    town.step(case_id, "assign", note="secret note")
    town.step(case_id, "accept")
    town.step(case_id, "fix")
    listed = town.asked("requests.json").json()
    known = {one["service_request_id"] for one in listed}
    every = {other: told[1].type_id for other, told in town.cases.items()}
    assert case_id in known
    assert {every[one] for one in known & set(every)} <= {"resident_request"}
    for form in ("json", "xml"):
        answers = [town.asked(f"requests.{form}", service_request_id=",".join([case_id, *every])).text]
        answers += [town.asked(f"requests/{other}.{form}").text for other in (case_id, *every)]
        for text in answers:
            assert "secret" not in text
            assert not [one for told in town.cases.values() for one in told[2].values() if one in text]
            assert "maker" not in text
    for other, type_id in every.items():
        found = town.asked(f"requests/{other}.json")
        assert (found.status_code == 200) == (type_id == "resident_request"), type_id


@pytest.mark.parametrize(
    ("code", "told", "level"),
    [(LIGHT, {}, None), (NOISE, {"attribute[noise_from]": "venue"}, "committee"),
     ("resident_request.safety", {}, "micro_grid"), ("resident_request.other", {}, "committee")],
)  # fmt: skip
def test_a_place_goes_out_as_finely_as_its_type_says(town, code, told, level):
    lon, lat = ground_point(HOME)
    lon, lat = lon + 0.00012345, lat + 0.00012345
    case_id, _ = town.reported(service_code=code, lat=str(lat), long=str(lon), **told)
    (found,) = town.asked(f"requests/{case_id}.json").json()
    areas = town.matters.read(case_id, town.anybody).case.areas
    assert town.matters.read(case_id, town.anybody).row["lat"] == lat
    assert found["address_id"] == areas[level or "micro_grid"]
    if level is None:
        assert (found["long"], found["lat"]) == (round(lon, 4), round(lat, 4))
    else:
        middle = town.district.pack.areas.area(areas[level]).polygon.representative_point()
        assert (found["long"], found["lat"]) == (round(middle.x, 4), round(middle.y, 4))


def test_forgetting_makes_the_code_and_the_request_dead(tmp_path):
    with Town(tmp_path).serving() as made:
        case_id, code = made.reported()
        assert made.asked(f"tokens/{code}.json").json() == [{"service_request_id": case_id, "token": code}]
        made.step(case_id, "forward", filled={"forwarded_to": "city"})
        made.wait(days=366)
        forget_due(made.matters, made.clock.now())
        refused(made.asked(f"tokens/{code}.xml"), 404, "does not exist, or not any more")
        refused(made.asked(f"requests/{case_id}.xml"), 404, "does not exist")
        assert made.asked("requests.json", start_date=made.clock.now().isoformat()).json() == []
        assert made.district.store.kept("follow") == made.district.store.kept("follow_of") == []
        (row,) = [one for one in made.matters.store.changes(limit=1000) if one.action == "forget"]
        assert row.record_id == case_id


# -- another's client ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_client_that_others_wrote_finds_a_service_and_follows_a_report_to_its_end(town, form):
    """The client has no way to report, so that one call goes by the standard's text alone: a form and an api_key."""
    client = georeport.GeoReport(f"{town.url}/open311/v2", jurisdiction="small", output_format=form)
    codes = [one["service_code"] for one in client.get_service_list()]
    assert NOISE in codes
    asked = client.get_service_definition(NOISE)["attributes"]
    asked = asked if form == "json" else asked["attribute"]
    needed = {one["code"] for one in asked if str(one["required"]).lower() == "true"}
    assert needed == {"noise_from"}
    case_id, _ = town.reported(service_code=NOISE, **{f"attribute[{one}]": "venue" for one in needed})
    assert client.get_service_request(case_id)["status"] == "open"
    begin = (town.clock.now() - timedelta(days=1)).isoformat()
    mine = client.get_service_requests(service_code=NOISE, start_date=begin, status="open")
    mine = mine if isinstance(mine, list) else [mine]
    assert case_id in {one["service_request_id"] for one in mine}
    town.step(case_id, "forward", filled={"forwarded_to": "city"})
    (ended,) = [client.get_service_requests(service_request_id=case_id)]
    ended = ended[0] if form == "json" else ended
    assert ended["status"] == "closed"
    assert datetime.fromisoformat(ended["updated_datetime"]).utcoffset() == timedelta(hours=8)


@pytest.fixture
def three(monkeypatch):
    """Code for America's client, of 2013: it asks Python for a name that is the builtin `filter` now."""
    monkeypatch.setattr(itertools, "ifilter", filter, raising=False)
    with warnings.catch_warnings(action="ignore"):
        return importlib.import_module("three")


def test_a_client_that_others_wrote_completes_a_report(town, three):
    client = three.Three(f"{town.url}/open311/v2", jurisdiction="small")
    assert NOISE in {one["service_code"] for one in client.services()}
    (asked,) = [one for one in client.services(NOISE)["attributes"] if one["required"]]
    answer = {f"attribute[{asked['code']}]": asked["values"][0]["key"]}
    at = dict(zip(("long", "lat"), ground_point(HOME), strict=True))
    photo = io.BytesIO(picture())
    (made,) = client.post(NOISE, description="music at three", name="Li Si", media=photo, **at, **answer)
    case_id = made["service_request_id"]
    (told,) = client.request(case_id)
    assert (told["status"], told["service_code"]) == ("open", NOISE)
    kept = town.matters.read(case_id, town.anybody).history[0]
    assert kept.filled["what"] == "music at three"
    assert set(kept.evidence) == {"photo_reported"}
    town.step(case_id, "forward", filled={"forwarded_to": "city"})
    assert case_id in {one["service_request_id"] for one in client.requests(NOISE, status="closed")}


def test_cases_that_staff_opened_are_told_like_any_other(town):
    filled = {"kind": "road", "source": "hotline", "what": "secret hole"}
    made = town.matters.open(NewCase(type_id="resident_request", area_id=HOME, filled=filled), town.anybody)
    assert town.asked(f"requests/{made.case_id}.json").json()[0]["service_code"] == "resident_request.road"
