"""Whoever is signed in no longer while they work: they are asked again, and what they wrote is kept and goes on."""

from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit
from tests.browser.test_reach import Town
from tests.command.conftest import served
from tests.waiting import PATIENCE_S

from anlan.command import create_app
from anlan.staff import NewOffice, Staff, read_roles

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = "four calm waters"
PEOPLE = {"lin": "duty_officer", "wu": "dispatcher"}


class Station(Town):
    """A district with units and two people who work there."""

    def __init__(self, folder):
        super().__init__(folder)
        self.staff = Staff(self.district.store, read_roles(), self.district.pack.areas)
        root = self.district.pack.areas.root.area_id
        for name, role in PEOPLE.items():
            office = NewOffice(name={"en": role}, role_ids=(role,), area_id=root)
            self.staff.open_account(name, name.title(), WORDS, "test", datetime.now(UTC), office=office)

    def end_all(self):
        for one in self.staff.signed_in():
            self.staff.sign_out(one.mark)

    @property
    def n_raised(self):
        return sum(change.kind == "incident" for change in self.district.changes())


@pytest.fixture
def station(tmp_path):
    made = Station(tmp_path)
    try:
        app = create_app(made.district, staff=made.staff)
        with served(app) as made.url, httpx.Client(timeout=PATIENCE_S) as made.http:
            yield made
    finally:
        made.district.close()


def sign_in(tab, name):
    tab.find("sign-in-name").fill(name)
    tab.find("sign-in-password").fill(WORDS)
    tab.find("sign-in-go").click()


def write(tab, note):
    """Fill in a new incident."""
    tab.find("tab-reach").click()
    tab.find("raise-list").click()
    tab.find("raise-here").click()
    tab.page.locator("label.choice", has_text="Disturbance").click()
    tab.find("raise-note").fill(note)


@pytest.fixture
def tab(chromium, station):
    made = Visit(chromium, station.url)
    made.page.goto(station.url)
    sign_in(made, "lin")
    made.page.wait_for_selector(".map canvas")
    yield made
    made.context.close()


@pytest.fixture
def other(tab, station):
    """Another tab of the same browser, where the desk is open as well."""
    made = tab.context.new_page()
    made.goto(station.url)
    made.wait_for_selector(".map canvas")
    return made


def test_what_was_written_waits_for_whoever_signs_in_again(tab, station):
    write(tab, "a bin burns")
    station.end_all()
    tab.find("raise").click()
    expect(tab.find("sign-in-again")).to_contain_text("goes on once Lin has signed in")
    tab.find("sign-in-later").click()
    expect(tab.find("sign-in-again")).to_have_count(0)
    expect(tab.page.locator(".toast")).to_contain_text("needs somebody who is signed in")
    expect(tab.find("raise-note")).to_have_value("a bin burns")
    tab.find("raise").click()
    sign_in(tab, "lin")
    expect(tab.page.locator(".incident-note")).to_have_text("a bin burns")
    expect(tab.find("sign-in-again")).to_have_count(0)
    assert station.n_raised == 1


def test_who_signs_in_anew_in_another_tab_goes_on_in_this_one(tab, other, station):
    write(tab, "a bin burns")
    other.locator("[data-test=account]").click()
    other.locator("[data-test=sign-out]").click()
    tab.find("sign-in-again").wait_for()
    other.locator("[data-test=sign-in-name]").fill("lin")
    other.locator("[data-test=sign-in-password]").fill(WORDS)
    other.locator("[data-test=sign-in-go]").click()
    expect(tab.find("sign-in-again")).to_have_count(0)
    tab.find("raise").click()
    expect(tab.page.locator(".incident-note")).to_have_text("a bin burns")
    assert station.n_raised == 1


def test_who_is_somebody_else_by_another_tab_sees_their_own_page(tab, other, station):
    other.locator("[data-test=account]").click()
    other.locator("[data-test=sign-out]").click()
    other.locator("[data-test=sign-in-name]").fill("wu")
    other.locator("[data-test=sign-in-password]").fill(WORDS)
    other.locator("[data-test=sign-in-go]").click()
    expect(tab.find("account")).to_have_attribute("aria-label", "Signed in as Wu")
    write(tab, "somebody else's")
    tab.find("raise").click()
    expect(tab.page.locator(".incident-note")).to_have_text("somebody else's")
    assert station.n_raised == 1
