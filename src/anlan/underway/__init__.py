"""What runs while people are there: triggers of planned events over what is counted, and rehearsals before."""

from anlan.underway.counts import Compared, Counts, Number
from anlan.underway.planned import planned_events, planned_of
from anlan.underway.rehearsing import Going, RehearsalDesk, Rehearsed, Wish
from anlan.underway.running import KIND, DeviceNow, Firing, LiveNow, TriggerNow, Underway, ZoneNow
from anlan.underway.staffing import Staffed, staffed

__all__ = [
    "KIND",
    "Compared",
    "Counts",
    "DeviceNow",
    "Firing",
    "Going",
    "LiveNow",
    "Number",
    "RehearsalDesk",
    "Rehearsed",
    "Staffed",
    "TriggerNow",
    "Underway",
    "Wish",
    "ZoneNow",
    "planned_events",
    "planned_of",
    "staffed",
]
