import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.command.conftest import BEGIN, served
from tests.small import small_pack
from tests.waiting import PATIENCE_S

from anlan.cli.terminal import everything
from anlan.command import create_app
from anlan.command.access import ROUTES
from anlan.command.api import ROUTERS
from anlan.district import District
from anlan.kernel.access import Actor, Grant
from anlan.kernel.clock import FollowedClock
from anlan.staff import NewOffice, Staff, read_roles

WORDS = "four calm waters"
API = "/api/v1"


class House:
    """A small district with staff, served."""

    def __init__(self, folder, pack=None):
        self.district = District.open(pack or small_pack(), folder, clock=FollowedClock(BEGIN))
        self.staff = Staff(self.district.store, read_roles(), self.district.pack.areas)
        root = self.district.pack.areas.root.area_id
        grant = Grant(role_id="", area_id=root, from_at=BEGIN - timedelta(days=3650))
        rights = frozenset({"accounts.read", "accounts.act"})
        terminal = Actor(actor_id="terminal", grants=(grant,), rights=rights)
        self.app = create_app(self.district, staff=self.staff, terminals={"of-this-machine": terminal})
        self.root = root

    def asking(self, **how):
        return httpx.Client(base_url=f"{self.url}{API}", timeout=PATIENCE_S, **how)

    @contextmanager
    def as_role(self, role_id, area_id=None):
        """Yield a client that is signed in with a role in an area."""
        now = datetime.now(UTC)
        account = self.staff.open_account(f"{role_id} {area_id} {now.timestamp()}", role_id, None, "test", now)
        office = self.staff.make_office(
            NewOffice(name={"en": role_id}, role_ids=(role_id,), area_id=area_id or self.root), "test", now
        )
        self.staff.appoint(office.office_id, account.account_id, "test", now)
        with self.asking() as client:
            made = client.post("/enter", json={"link": self.staff.link(account.account_id, "test", now)})
            assert made.status_code == 200, made.text
            client.headers["x-anlan-guard"] = made.json()["guard"]
            yield client


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("house"))
    with served(made.app) as made.url:
        yield made
    made.district.close()


def code(answer):
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code >= 400 else None


def routes():
    for router in ROUTERS:
        for route in router.routes:
            for method in route.methods - {"HEAD", "OPTIONS"}:
                yield method, route.path


def test_every_route_names_the_right_it_needs():
    assert set(routes()) == set(ROUTES)


def filled(path, house):
    """Return a path with things that exist."""
    place = house.district.pack.places[0]
    words = {
        "place_id": place.place_id,
        "device_id": house.district.pack.devices[0].device_id,
        "level": house.district.pack.areas.levels[-1].key,
        "area_id": house.district.pack.areas.of_level(house.district.pack.areas.levels[-1].key)[0].area_id,
        "layer": "places",
    }
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: words.get(found[1], "none"), path)


@pytest.mark.parametrize("asked", sorted(ROUTES), ids=" ".join)
def test_without_signing_in_nothing_opens(house, asked):
    method, path = asked
    if ROUTES[asked][0] == "open":
        return
    with house.asking() as client:
        assert code(client.request(method, filled(path, house), json={})) == (401, "not_signed_in")


@pytest.mark.parametrize("role", [role.role_id for role in read_roles()])
def test_a_role_opens_what_it_names_and_nothing_else(house, role):
    held = {one.role_id: one for one in read_roles()}[role].rights
    with house.as_role(role) as client:
        for (method, path), (right, _) in ROUTES.items():
            if right == "open" or path in {"/live", "/sign-out"}:
                continue
            answer = client.request(method, filled(path, house), json={})
            refused = code(answer) == (403, "not_allowed") and f"right {right}" in answer.json()["error"]["value"]
            assert refused == (right not in held and right != "signed in"), (method, path, answer.text)


def test_somebody_with_one_area_sees_nothing_of_another(house):
    areas = house.district.pack.areas
    with house.as_role("commander") as whole:
        every = {one["id"] for one in whole.get("/places").json()["places"]}
    level = areas.levels[1].key
    seen = {}
    for area in areas.of_level(level):
        with house.as_role("grid_worker", area.area_id) as client:
            seen[area.area_id] = {one["id"] for one in client.get("/places").json()["places"]}
            for place_id in every:
                status = client.get(f"/places/{place_id}").status_code
                assert (status == 200) == (place_id in seen[area.area_id])
            assert {one["id"] for one in client.get(f"/areas/{level}").json()["areas"]} == {area.area_id}
            assert code(client.get("/density")) == (403, "not_allowed")
            assert client.get("/district").json()["estimate"] is None
            own = areas.area(area.area_id).polygon
            other = next(one.polygon for one in areas.of_level(level) if one.area_id != area.area_id)
            for ground, expected in ((own, 200), (other, 403)):
                asked = {"polygon": ground.__geo_interface__}
                assert client.post("/count", json=asked).status_code == expected
                assert client.post("/count/curve", json=asked).status_code == expected
    assert set.union(*seen.values()) == every
    assert sum(map(len, seen.values())) == len(every)


def test_the_live_feed_shows_one_area_to_whom_has_one(house):
    area = house.district.pack.areas.of_level(house.district.pack.areas.levels[1].key)[0]
    house.district.clock.set(house.district.clock.now() + timedelta(minutes=1))
    house.district.advance()
    with house.as_role("grid_worker", area.area_id) as client, house.as_role("commander") as whole:
        mine = {one["id"] for one in client.get("/places").json()["places"]}
        told = {}
        for name, asking in (("own", client), ("whole", whole)):
            with asking.stream("GET", "/live") as stream:
                house.district._tell("minute", {"at": BEGIN, "estimates": house.district._now})
                text = ""
                for chunk in stream.iter_text():
                    text += chunk
                    if "event: minute" in text and "\n\n" in text.partition("event: minute")[2]:
                        break
                told[name] = text
        assert set(re.findall(r'"id":"([^"]+)"', told["own"])) == mine
        assert '"district":null' in told["own"]
        assert len(re.findall(r'"id":"', told["whole"])) > len(mine)


def test_writing_needs_the_word_that_only_our_page_knows(house):
    with house.as_role("commander") as client:
        right = client.headers.pop("x-anlan-guard")
        place = house.district.pack.places[0].polygon.__geo_interface__
        asked = {"polygon": place, "name": "quay"}
        assert code(client.post("/watches", json=asked)) == (403, "not_allowed")
        client.headers["x-anlan-guard"] = "guessed"
        assert code(client.post("/watches", json=asked)) == (403, "not_allowed")
        client.headers["x-anlan-guard"] = right
        made = client.post("/watches", json=asked)
        assert made.status_code == 201
        change = client.get("/changes", params={"limit": 1000}).json()["changes"][-1]
        assert change["actor"] == client.get("/me").json()["account"]["id"]
        client.delete(f"/watches/{made.json()['id']}?version=1")


def test_the_first_account_is_made_by_its_link_once(tmp_path):
    made = House(tmp_path)
    try:
        with served(made.app) as made.url, made.asking() as client:
            assert client.get("/me").json()["state"] == "first"
            link = client.post("/first-link", headers={"authorization": "Bearer of-this-machine"}).json()["link"]
            first = {"link": link, "name": "Lin", "shown_name": "林 Lin", "password": "short"}
            assert code(client.post("/first-account", json=first)) == (422, "bad_input")
            answer = client.post("/first-account", json=first | {"password": WORDS})
            assert answer.status_code == 201
            assert answer.json()["rights"]["accounts.act"] == "everywhere"
            assert code(client.post("/first-account", json=first | {"password": WORDS, "name": "x"})) == (
                403,
                "not_allowed",
            )
            assert "HttpOnly" in answer.headers["set-cookie"]
            assert "samesite=strict" in answer.headers["set-cookie"].lower()
            client.cookies.clear()
            assert client.get("/me").json()["state"] == "unknown"
            assert client.post("/sign-in", json={"name": "lin", "password": WORDS}).status_code == 200
            assert client.get("/places").status_code == 200
    finally:
        made.district.close()


def test_a_key_does_what_it_is_for_until_it_is_withdrawn(house):
    with house.as_role("engineer") as engineer, house.asking() as program:
        rights = ["observations.act"]
        asked = {"label": "kerb box", "rights": rights, "area": house.root}
        assert code(engineer.post("/keys", json=asked)) == (403, "not_allowed")  # an engineer keeps no accounts
        now = datetime.now(UTC)
        maker = Actor(actor_id="m", grants=(Grant(role_id="engineer", area_id=house.root, from_at=now),))
        token, key = house.staff.make_key("kerb box", rights, house.root, maker, now)
        program.headers["authorization"] = f"Bearer {token}"
        assert program.post("/observations", json={"observations": []}).status_code == 200
        assert code(program.get("/places")) == (403, "not_allowed")
        house.staff.withdraw_key(key.key_id, "m", now)
        assert code(program.post("/observations", json={"observations": []})) == (401, "not_signed_in")


def test_nobody_appoints_themselves(house):
    with house.as_role("registrar") as client:
        me = client.get("/me").json()["account"]["id"]
        office = client.post("/offices", json={"name": {"en": "x"}, "roles": ["commander"], "area": house.root}).json()
        assert code(client.post(f"/offices/{office['id']}/appoint", json={"account": me})) == (403, "not_allowed")


def test_a_link_never_gives_more_than_its_maker_has(house):
    with house.as_role("registrar") as client, house.as_role("commander") as other:
        theirs = other.get("/me").json()["account"]["id"]
        assert code(client.post(f"/accounts/{theirs}/link", json={})) == (403, "not_allowed")


def test_a_guest_sees_all_of_a_district_that_is_played(tmp_path):
    made = House(tmp_path)
    made.app.state.guest = everything("guest", made.district.pack.areas)
    try:
        with served(made.app) as made.url, made.asking() as client:
            assert client.get("/me").json()["state"] == "open"
            assert client.get("/district").json()["estimate"] is not None
            for method, path in ROUTES:
                if path == "/live" or ROUTES[method, path][0] in {"open", "signed in"}:
                    continue
                assert code(client.request(method, filled(path, made), json={}))[1] not in {
                    "not_allowed",
                    "not_signed_in",
                }
            made.district.advance()
            with client.stream("GET", "/live") as stream:
                made.district._tell("minute", {"at": BEGIN, "estimates": made.district._now | unknown(made.district)})
                text = ""
                for chunk in stream.iter_text():
                    text += chunk
                    if "event: minute" in text:
                        break
            assert '"district":{' in text
    finally:
        made.district.close()


def unknown(district):
    places = {f"place:{place.place_id}": district.total() for place in district.pack.places}
    return {"district": district.total()} | places
