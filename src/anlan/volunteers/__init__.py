"""Volunteers that are kept: how they join and leave, their shifts, call-outs, hours and messages."""

from anlan.volunteers.calling import Wanted, beat, call_out, forget_old, near
from anlan.volunteers.hall import Hall, Profile
from anlan.volunteers.helping import Helpers, first_helpers, tend
from anlan.volunteers.joining import lapse


def keep_house(hall: Hall) -> int:
    """Forget whoever did not agree again, and what is old; return how many went. Once an hour is enough."""
    forget_old(hall)
    return lapse(hall, hall.clock.now())


__all__ = [
    "Hall",
    "Helpers",
    "Profile",
    "Wanted",
    "beat",
    "call_out",
    "first_helpers",
    "keep_house",
    "near",
    "tend",
]
