"""Cases of a district as they are kept: who may see them, where they go, what time does to them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from anlan.kernel.clock import Clock
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change
from anlan.matters.agenda import Agenda, Dated, Day, agenda
from anlan.matters.due import forget_due, settle, tell_due
from anlan.matters.exporting import export_cases
from anlan.matters.keeping import KIND, Matters, NewCase, Seen, Taken
from anlan.matters.listing import Asked, Count, Page, count_cases, list_cases, told_to
from anlan.matters.many import Imported, Moved, Sheet, import_sheet, migrate_cases
from anlan.matters.routing import Route, Rule, Weighed
from anlan.matters.standing import Standing, plain_reader, standing
from anlan.store import SqlStore


def open_matters(
    pack: Pack, store: SqlStore, folder: Path, clock: Clock, tell: Callable[[Sequence[Change]], object]
) -> Matters:
    """Return the cases of a district, settled on its present areas and calendar."""
    made = Matters(pack, store, folder, clock, tell)
    settle(made, clock.now())
    return made


__all__ = [
    "KIND",
    "Agenda",
    "Asked",
    "Count",
    "Dated",
    "Day",
    "Imported",
    "Matters",
    "Moved",
    "NewCase",
    "Page",
    "Route",
    "Rule",
    "Seen",
    "Sheet",
    "Standing",
    "Taken",
    "Weighed",
    "agenda",
    "count_cases",
    "export_cases",
    "forget_due",
    "import_sheet",
    "list_cases",
    "migrate_cases",
    "open_matters",
    "plain_reader",
    "settle",
    "standing",
    "tell_due",
    "told_to",
]
