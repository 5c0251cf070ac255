"""A volunteer as little as is needed of one: what may be asked of them, near where, and until when they agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Calendar

LONGEST_NAME = 24
REMINDED = timedelta(days=30)
"""So long before a consent ends its giver is asked for it again."""
NIGHT = "night"
SLOTS = (
    "working_morning", "working_afternoon", "working_evening", "rest_morning", "rest_afternoon", "rest_evening", NIGHT,
)  # fmt: skip
"""When somebody may be asked: mornings (7 to 12), afternoons (to 18), evenings (to 22) of working days and of days of
rest; and the night, in which nobody is asked who did not say so."""
_ENDS = ((7, NIGHT), (12, "morning"), (18, "afternoon"), (22, "evening"), (24, NIGHT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Volunteer:
    """Somebody who signed up. There is no field for an address, a birthday, a number of any kind, or a judgement.

    ``home_id`` is an area, never finer than the district allows. ``free`` holds slots of `SLOTS`; nothing in it means
    any time but the night.

    Raises
    ------
    BadInput
        If the name is empty or too long, or a slot is none.
    """

    volunteer_id: str
    shown_name: str
    home_id: str
    consented_at: datetime
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    alliances: frozenset[str] = frozenset()
    trade: str | None = None
    free: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "consented_at", as_utc(self.consented_at, "consented_at"))
        if not 1 <= len(self.shown_name.strip()) <= LONGEST_NAME:
            shown = f"name of {len(self.shown_name.strip())} characters"
            raise BadInput(shown, f"must have 1 to {LONGEST_NAME}", "choose a short name; it need not be your own")
        spare = sorted(self.free - set(SLOTS))
        if spare:
            raise BadInput(f"free={spare[0]!r}", f"must be one of {', '.join(SLOTS)}", "choose from these")

    @property
    def ends_at(self) -> datetime:
        """When the consent ends: the same day a year later."""
        return consent_end(self.consented_at)

    def is_reminded(self, at: datetime) -> bool:
        """Tell whether it is time to ask for the consent again."""
        return at >= self.ends_at - REMINDED

    def may_be_asked(self, slot: str) -> bool:
        """Tell whether they want to be asked in a slot.

        Examples
        --------
        >>> from datetime import UTC
        >>> since = datetime(2026, 1, 1, tzinfo=UTC)
        >>> one = Volunteer(volunteer_id="a", shown_name="Li", home_id="310101", consented_at=since)
        >>> one.may_be_asked("rest_morning"), one.may_be_asked("night")
        (True, False)
        """
        return slot in self.free if self.free else slot != NIGHT


def consent_end(consented_at: datetime) -> datetime:
    """Return when a consent ends: the same day a year later, 1 March for 29 February.

    Examples
    --------
    >>> from datetime import UTC
    >>> consent_end(datetime(2028, 2, 29, 8, tzinfo=UTC)).date().isoformat()
    '2029-03-01'
    """
    try:
        return consented_at.replace(year=consented_at.year + 1)
    except ValueError:
        return consented_at.replace(year=consented_at.year + 1, month=3, day=1)


def slot_of(at: datetime, zone: ZoneInfo, calendar: Calendar) -> str:
    """Return the slot in which a moment lies, by the clocks and the calendar of the district.

    Examples
    --------
    >>> from datetime import UTC
    >>> slot_of(datetime(2026, 12, 6, 2, tzinfo=UTC), ZoneInfo("Asia/Shanghai"), Calendar())  # a Sunday, 10:00
    'rest_morning'
    """
    local = as_utc(at, "at").astimezone(zone)
    part = next(name for end, name in _ENDS if local.hour < end)
    if part == NIGHT:
        return NIGHT
    return f"{'working' if calendar.is_working(local.date()) else 'rest'}_{part}"
