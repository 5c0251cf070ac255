"""What the public page and Open311 have in common: who reports, how often, in which language, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from fastapi import Request

from anlan.command.access import known_key, now
from anlan.command.residents.limits import Gauge, address_of
from anlan.command.residents.settings import Settings
from anlan.district import District
from anlan.kernel.errors import BadInput, NotAllowed
from anlan.kernel.records import Label
from anlan.matters.public import REPORTER, Report, Reported, new_case, offer_of, report, resident
from anlan.matters.standing import Standing, standing

HOUR_S = 3600.0
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
TEXT = 4000


class NoKey(NotAllowed):
    """A key is wanted, and none that is good was given."""

    code = "no_key"


@dataclass(frozen=True, slots=True)
class Residents:
    """A district as residents meet it."""

    district: District
    settings: Settings
    gauge: Gauge
    test: bool
    """Whether what is reported is for show only: the district is played."""

    @property
    def zone(self) -> ZoneInfo:
        """The district's time zone."""
        return ZoneInfo(self.district.pack.time_zone)

    @property
    def names(self) -> Mapping[str, Label]:
        """The name of every area, by id."""
        return {one.area_id: one.name for one in self.district.pack.areas}

    def language(self, request: Request) -> str:
        """Return the language that is asked for, by ``lang`` or by the browser; else the district's first."""
        spoken = self.district.pack.languages
        wanted = [request.query_params.get("lang", "")]
        wanted += [one.split(";")[0].strip() for one in request.headers.get("accept-language", "").split(",")]
        return next((one[:2].lower() for one in wanted if one[:2].lower() in spoken), spoken[0])

    def count_asking(self, request: Request) -> None:
        """Count a question of an address."""
        self.gauge.take("questions", _whose(request), self.settings.limits.asks_per_minute, 60.0)

    def count_wrong_code(self, request: Request) -> None:
        """Count a code that leads nowhere; guessing is for nobody."""
        self.gauge.take("wrong codes", _whose(request), self.settings.limits.wrong_codes_per_hour, HOUR_S)

    def check_codes(self, request: Request) -> None:
        """Refuse an address that has guessed too often."""
        self.gauge.check("wrong codes", _whose(request), self.settings.limits.wrong_codes_per_hour, HOUR_S)

    def check_reports(self, request: Request) -> None:
        """Refuse an address that has reported too often."""
        self.gauge.check("reports", _whose(request), self.settings.limits.reports_per_hour, HOUR_S)

    def count_report(self, request: Request, key: str | None = None) -> None:
        """Count a report of an address, or of a key."""
        limits = self.settings.limits
        most = limits.reports_per_hour if key is None else limits.reports_per_hour_of_a_key
        self.gauge.take("reports", _whose(request) if key is None else key, most, HOUR_S)

    def count_photo(self, request: Request) -> None:
        """Count a photo, also one whose report is not taken: it waits on the disk for a day."""
        self.gauge.take("photos", _whose(request), 3 * self.settings.limits.reports_per_hour, HOUR_S)

    def count_step(self, request: Request) -> None:
        """Count a step of whoever holds a code."""
        self.gauge.take("steps", _whose(request), self.settings.limits.reports_per_hour, HOUR_S)

    def by_key(self, request: Request, token: str) -> Standing:
        """Return what the holder of a key may do; refuse one that is none."""
        staff = request.app.state.staff
        actor = None if staff is None else known_key(request, token)
        if actor is None or staff is None:
            raise NoKey("this api_key", "is not known, has ended, or was withdrawn", "ask for a new one")
        return standing(staff.access, actor, now())

    def put_photo(self, content: bytes, actor_id: str = REPORTER) -> str:
        """Keep a picture until a report takes it, without what the camera wrote beside it; return its digest."""
        if not content.startswith(PICTURES):
            raise BadInput("the photo", "must be a JPEG or PNG picture", "save it as one of these, or send none")
        return self.district.matters.room.put(content, actor_id)

    def take(self, told: Report, photo: bytes | None = None, who: Standing | None = None) -> Reported:
        """Open a case for a report, with its photo."""
        matters = self.district.matters
        who = who or resident(matters)
        if photo:
            new_case(matters, told)  # refused before anything is stored
            if offer_of(matters, told.code).side.photo is None:
                raise BadInput("the photo", "must not come with this service", "send none")
            told = replace(told, photo=self.put_photo(photo, who.actor_id))
        return report(matters, told, who)


def _whose(request: Request) -> str:
    return address_of(request.client.host if request.client else "nobody")


def degrees(text: str, name: str, most: float) -> float:
    """Return a longitude or latitude.

    Raises
    ------
    BadInput
        If it is no number, or beyond what there is.
    """
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{name}={text[:40]!r}", "must be a number of degrees", "write it like 31.2304") from None
    if not -most <= value <= most:
        raise BadInput(f"{name}={text[:40]!r}", f"must be from {-most:g} to {most:g}", "give it in degrees (WGS84)")
    return value
