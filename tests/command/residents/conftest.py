from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from tests.command.case_house import CaseHouse
from tests.command.conftest import served
from tests.matters.conftest import AT, ground_point, picture, tall_pack
from tests.waiting import PATIENCE_S

from anlan.cases import Action

HOME = "d-w-s-w-s"
LIGHT = "resident_request.light"
NOISE = "resident_request.noise"
FREE = "[limits]\nleast_s = 0\nreports_per_hour = 100000\nasks_per_minute = 1000000\nwrong_codes_per_hour = 100000\n"


class Town(CaseHouse):
    """The tall district with staff, served with settings of its own, at a moment that the test sets."""

    def __init__(self, folder, settings=FREE):
        place = folder / "pack"
        place.mkdir(exist_ok=True)
        (place / "public.toml").write_text(settings)
        super().__init__(folder / "data", replace(tall_pack(), folder=place))
        self.clock.set(AT)

    @contextmanager
    def serving(self):
        with served(self.app) as self.url, httpx.Client(base_url=self.url, timeout=PATIENCE_S) as self.http:
            yield self
        self.district.close()

    def wait(self, **much):
        self.clock.set(self.clock.now() + timedelta(**much))

    def post(self, form="json", **told):
        """Report by Open311; return what is answered."""
        lon, lat = ground_point(HOME)
        usual = {"service_code": LIGHT, "lat": str(lat), "long": str(lon), "description": "两盏不亮 secret words"}
        return self.http.post(f"/open311/v2/requests.{form}", data=usual | told)

    def reported(self, **told):
        """Report by Open311; return the id of the request, and its code."""
        made = self.post(**told)
        assert made.status_code == 200, made.text
        (one,) = made.json()
        return one["service_request_id"], one["service_notice"].rsplit("/report/", 1)[1].split(".")[0].split(" ")[0]

    def asked(self, path, **params):
        return self.http.get(f"/open311/v2/{path}", params=params)

    def step(self, case_id, step, by="maker", **more):
        """Let staff take a step, whoever it takes."""
        kind = self.matters.kinds.current("resident_request")
        evidence = {name: self.photo(f"{case_id} {step} {name}", by) for name in kind.transitions[step].evidence}
        filled = {"answer": "已换灯 secret answer"} if "answer" in kind.transitions[step].anew else {}
        action = Action(transition=step, filled=filled | more.pop("filled", {}), evidence=evidence, **more)
        return self.matters.act(case_id, action, replace(self.anybody, actor_id=by))

    def photo(self, mark, by):
        return self.matters.room.put(picture(mark), by)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with Town(tmp_path_factory.mktemp("town")).serving() as made:
        yield made
