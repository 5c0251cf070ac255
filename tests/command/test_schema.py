"""Whatever the described API is asked, it answers as described, and never with a fault of its own."""

import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.command.case_house import CaseHouse
from tests.command.conftest import Live, served
from tests.command.residents.conftest import FREE, LIGHT
from tests.matters.conftest import ground_point, tall_pack
from tests.small import ring, square, town_pack
from tests.waiting import PATIENCE_S

from anlan.cli.terminal import everything
from anlan.command.access import ROUTES
from anlan.command.residents.open311 import router
from anlan.matters.public import Report, report, resident
from anlan.staff import NewOffice

pytestmark = pytest.mark.slow

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
N_EXAMPLES = int(os.environ.get("ANLAN_EXAMPLES", "20"))
UNASKED = {
    ("GET", "/live"),  # it never ends; tests of the live feed read it
    ("GET", "/healthz"),  # not described: whoever watches the server asks for it
}
ASKED = sorted((method, f"/api/v1{path}") for method, path in ROUTES.keys() - UNASKED) + sorted(
    (method, route.path) for route in router.routes for method in route.methods
)


class Free(CaseHouse, Live):
    """A district with streets, units, five levels of areas and cases, in which whoever asks may do everything."""

    def __init__(self, folder, *, minutes):
        (folder / "pack").mkdir()
        (folder / "pack" / "public.toml").write_text(FREE)
        tall = tall_pack()
        pack = replace(town_pack(), areas=tall.areas, calendar=tall.calendar, folder=folder / "pack")
        if not minutes:
            pack = replace(pack, units=(), places=(), devices=())
        CaseHouse.__init__(self, folder / "data", pack)
        self.sent, self.known = 0, {}
        self.app.state.guest = everything("guest", pack.areas, self.matters.kinds.rights())
        self.fill()
        if minutes:
            self.grid()
            self.minute(minutes)
            self.known = self.there()

    def there(self):
        """Return what there is, by the name of the part of a path that asks for it."""
        now = datetime.now(UTC)
        account = self.staff.open_account("somebody", "Somebody", None, "test", now)
        office = self.staff.make_office(
            NewOffice(name={"en": "post"}, role_ids=("observer",), area_id="d"), "test", now
        )
        case_id = next(one for one, told in self.cases.items() if told[1].type_id == "resident_request")
        (lon, lat), digest = ground_point("d-w-s-w-s"), next(iter(self.cases[case_id][3].values()))
        incident = self.district.reach.raise_incident("fight", lon, lat, "test")
        watch = self.district.watch("quay", ring(square(100, -400, 80, 600)), "test")
        made = report(self.matters, Report(code=LIGHT, lon=lon, lat=lat, words="x"), resident(self.matters))
        return {
            "place_id": "garden", "device_id": "walk-1", "level": "street", "area_id": "d-w", "layer": "places",
            "case_id": case_id, "other_id": made.request_id, "digest": digest, "unit_id": "v1", "service_code": LIGHT,
            "incident_id": incident.incident.incident_id, "watch_id": watch.watch_id, "account_id": account.account_id,
            "office_id": office.office_id, "service_request_id": made.request_id, "token": made.code,
        }  # fmt: skip


@pytest.fixture(scope="module", params=[0, 12], ids=["empty", "in operation"])
def described(request, tmp_path_factory):
    """The API's own description, of a district that has nothing yet, and of one in operation."""
    made = Free(tmp_path_factory.mktemp("schema"), minutes=request.param)
    with served(made.app) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        schema.there = made.known
        yield schema
    made.district.close()


def test_every_described_route_is_asked(described):
    every = {(one.ok().method.upper(), one.ok().path) for one in described.get_all_operations()}
    asked = {(method, path.replace(":path", "")) for method, path in ASKED}
    assert every - asked == {("GET", "/api/v1/live")}
    assert asked - every == set()


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_every_answer_is_as_described_and_none_is_a_fault_of_ours(described, asked):
    method, path = asked
    there = described.there
    operation = described[path.replace(":path", "")][method]

    @settings(max_examples=N_EXAMPLES, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(), real=st.booleans())
    def ask(case, real):
        if real and case.path_parameters:
            case.path_parameters.update({one: it for one, it in there.items() if one in case.path_parameters})
        case.call_and_validate(checks=CHECKS, timeout=PATIENCE_S)

    ask()
