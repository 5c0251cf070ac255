from datetime import UTC, datetime, timedelta

from anlan.community import Shift, Volunteer

AT = datetime(2026, 12, 7, 0, 0, tzinfo=UTC)
"""A Monday, eight in the morning in Shanghai."""


def volunteer(name="a", **more):
    told = {"volunteer_id": name, "shown_name": name, "home_id": "31", "consented_at": AT}
    return Volunteer(**(told | more))


def shift(name="s", begin_h=24.0, length_h=4.0, **more):
    begin = AT + timedelta(hours=begin_h)
    told = {
        "shift_id": name, "name": {"zh": name, "en": name}, "lon": 121.48, "lat": 31.22, "area_id": "31",
        "begin_at": begin, "end_at": begin + timedelta(hours=length_h), "places": 2,
    }  # fmt: skip
    return Shift(**(told | more))
