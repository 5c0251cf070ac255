"""What a volunteer may take along: a certificate of their hours that can be checked, and a calendar of their shifts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from anlan.kernel.errors import NoData, Unavailable
from anlan.kernel.records import Label
from anlan.papers import as_pdf, compose, sealed, shipped_paper
from anlan.volunteers.hall import Hall
from anlan.volunteers.rostering import Mine, of_volunteer

PRODUCT = "-//Anlan//community//EN"
_NOT_KNOWN = {
    "zh": "另有 {n} 次服务尚无签退记录，未计入。",
    "en": "{n} more shifts have no record of an end yet, and are not counted.",
}


def certificate(hall: Hall, number: int, language: str = "zh") -> bytes:
    """Return the certificate of a volunteer's hours as PDF, signed in its code. No copy of it is kept.

    Raises
    ------
    NoData
        If no hours are known yet.
    Unavailable
        If the extra for the community is not installed.
    """
    private, _ = hall.sealing.signing()
    at = hall.clock.now()
    begun = [one for one in of_volunteer(hall, number) if one.in_at is not None]
    served = [one for one in begun if one.minutes is not None]
    if not served:
        raise NoData(
            "your hours", "are not known yet", "check in and out at a shift, or ask the station to complete it"
        )
    days = [one.begin_at.astimezone(hall.zone).date() for one in served]
    total = sum(one.minutes or 0 for one in served)
    issued_on = at.astimezone(hall.zone).date()
    certificate_no = f"{issued_on:%Y%m%d}-{secrets.token_hex(4)}"
    told = {
        "kind": "volunteer_hours", "no": certificate_no, "minutes": str(total), "shifts": str(len(served)),
        "from": str(min(days)), "until": str(max(days)), "issued": str(issued_on),
        "issuer": _named(hall.pack.name, language),
    }  # fmt: skip
    n_open = len(begun) - len(served)
    words: dict[str, Any] = {
        "certificate_no": certificate_no, "from_on": min(days), "until_on": max(days), "n_shifts": len(served),
        "hours": total / 60, "district": dict(hall.pack.name), "issuer": dict(hall.pack.name), "issued_on": issued_on,
        "code": sealed(told, private), "open_note": _NOT_KNOWN[language].format(n=n_open) if n_open else "",
        "shifts": [
            {"on": on, "name": _named(one.name, language), "minutes": one.minutes}
            for on, one in zip(days, served, strict=True)
        ],
    }  # fmt: skip
    return as_pdf(compose(shipped_paper("volunteer_hours"), words, language))


def calendar(hall: Hall, shifts: Iterable[Mine], language: str = "zh") -> bytes:
    """Return shifts as an iCalendar text; one that changes or is cancelled replaces itself where it is subscribed to.

    Raises
    ------
    Unavailable
        If the extra for the community is not installed.

    References
    ----------
    B. Desruisseaux (2009), RFC 5545, sections 3.6.1, 3.8.1.11, 3.8.4.7 and 3.8.7.4.
    """
    try:
        from icalendar import Calendar, Event  # noqa: PLC0415 - an extra, which a district may lack
    except ImportError:
        raise Unavailable("calendars", "need icalendar", "pip install 'anlan[community]'") from None
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    for one in shifts:
        entry = Event()
        entry.add("uid", f"{one.shift_id}@community.anlan")
        entry.add("dtstamp", hall.clock.now())
        entry.add("sequence", one.sequence)
        entry.add("dtstart", one.begin_at.astimezone(hall.zone))
        entry.add("dtend", one.end_at.astimezone(hall.zone))
        waiting = {"zh": "（候补）", "en": " (waiting)"}[language] if one.seated is False else ""
        entry.add("summary", _named(one.name, language) + waiting)
        entry.add("location", _named(hall.known_area(one.area_id).name, language))
        entry.add("geo", (one.lat, one.lon))
        entry.add("status", "CANCELLED" if one.state == "cancelled" else "CONFIRMED" if one.seated else "TENTATIVE")
        made.add_component(entry)
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _named(label: Label, language: str) -> str:
    return label.get(language) or next((text for text in label.values() if text), "")
