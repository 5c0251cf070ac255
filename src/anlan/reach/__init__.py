"""Reach, live: incidents, units and assignments as records, and every step of them in the log."""

from anlan.reach.books import playbooks_of
from anlan.reach.keeping import NOTE_DAYS, OUTCOMES
from anlan.reach.raising import Key, Wanted
from anlan.reach.reach import Reach
from anlan.reach.wire import UNIT_TOPICS

__all__ = ["NOTE_DAYS", "OUTCOMES", "UNIT_TOPICS", "Key", "Reach", "Wanted", "playbooks_of"]
