"""Many cases at once: a sheet becomes cases, running cases go over to another version. All of them, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from anlan.cases import OPEN, Action, Case, CaseType
from anlan.cases.migration import Migration, migrate, migrated
from anlan.cases.sheets import Draft as RowDraft
from anlan.cases.sheets import RowFault, read_cells, read_drafts
from anlan.kernel.errors import AnlanError, NotAllowed
from anlan.kernel.records import Draft
from anlan.matters.keeping import Matters
from anlan.matters.routing import Rule, route
from anlan.matters.rows import Aside, aside_of, case_of, filed_of, step_of
from anlan.matters.standing import NARROW, Standing
from anlan.store import casebook
from anlan.store.casebook import Row

AT_ONCE = 500
"""So many histories are read in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet whose rows are to become cases of one type, parts of ``parent_id`` where it is given."""

    type_id: str
    content: bytes
    file: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many cases a sheet holds, what is wrong with it, and what was opened: all of them, or none."""

    n_cases: int
    faults: tuple[RowFault, ...]
    case_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many running cases are of other versions, which do not fit, and how many were moved: all of them, or none."""

    version: int
    n_cases: int
    misfits: tuple[Migration, ...]
    n_moved: int = 0


def import_sheet(matters: Matters, sheet: Sheet, who: Standing, *, dry_run: bool) -> Imported:
    """Open the cases of a sheet, each where it lies and with the owner that the rules give it.

    Every row is read first, and every fault told: also of places where the actor may open nothing.

    Raises
    ------
    BadInput
        If it is no sheet.
    NotFound, Conflict
        If there is no such type or parent, or the parent is closed.
    """
    kind, at = matters.kinds.current(sheet.type_id), matters.clock.now()
    told = read_drafts(kind, read_cells(sheet.content, sheet.file), matters.ground.areas)
    faults, made = list(told.faults), []
    rules = [*matters.remembered(), *matters.rules]
    for draft in told.drafts:
        try:
            made.append(_opened(matters, kind, draft, (rules, at), who))
        except AnlanError as fault:
            faults.append(RowFault(row=draft.row, column="", value=fault.value, rule=fault.rule,
                                   next_step=fault.next_step))  # fmt: skip
    with matters.store.reading() as connection:
        matters.part_of(connection, sheet.parent_id, kind, who)
    if faults or dry_run:
        return Imported(n_cases=len(made), faults=tuple(sorted(faults, key=lambda one: one.row)))

    def write(connection: sa.Connection) -> tuple[list[Draft], None]:
        number, parent_no = casebook.next_number(connection), matters.part_of(connection, sheet.parent_id, kind, who)
        asides = [
            Aside(number=number + k, parent_no=parent_no, lon=None, lat=None, post=post, told_at=at)
            for k, (_, post) in enumerate(made)
        ]
        cases = [case for case, _ in made]
        matters.write_new(connection, kind, cases, asides)
        return [matters.line(connection, case, case.history[0]) for case in cases], None

    changes, _ = matters.store.together(at, write)
    matters.announce(changes)
    return Imported(n_cases=len(made), faults=(), case_ids=tuple(case.case_id for case, _ in made))


def migrate_cases(matters: Matters, type_id: str, version: int, who: Standing, *, dry_run: bool) -> Moved:
    """Move every running case of a type to a version of it; none is moved while one does not fit.

    What does not fit is told with its values, so whoever asks must hold a role of the type in the whole district, and
    one of its readers' where it is a narrow one.

    Raises
    ------
    NotFound
        If there is no such version.
    NotAllowed
        If the actor holds no such role there.
    """
    new, at = matters.kinds.version(type_id, version), matters.clock.now()
    root = {matters.ground.root}
    by = who.reader(new, root, matters.ground.root)
    roles = who.by(new, root).grants
    if by is None or not roles or (new.confidentiality in NARROW and not {one.role_id for one in roles} & new.readers):
        raise NotAllowed(f"role of {type_id}", "must be held in the whole district", "ask whoever holds one there")

    def plan(connection: sa.Connection) -> tuple[list[tuple[Row, Case]], Moved]:
        found = _running(matters, connection, new)
        told = [migrated(case, matters.kinds.of(row), new) for row, case in found]
        misfits = tuple(one for one in told if one.misfits)
        return found, Moved(version=version, n_cases=len(found), misfits=misfits)

    def write(connection: sa.Connection) -> tuple[list[Draft], Moved]:
        found, told = plan(connection)
        if told.misfits:
            return [], told
        drafts = []
        for row, case in found:
            moved, change = migrate(case, matters.kinds.of(row), new, by, at)
            aside = aside_of(row)
            casebook.put_row(connection, filed_of(new, moved, aside, matters.ground, matters.work))
            casebook.add_step(connection, step_of(aside.number, len(moved.history) - 1, change))
            drafts.append(matters.line(connection, moved, change))
        return drafts, replace(told, n_moved=len(found))

    if dry_run:
        with matters.store.reading() as connection:
            return plan(connection)[1]
    changes, told = matters.store.together(at, write)
    matters.announce(changes)
    return told


def _opened(
    matters: Matters, kind: CaseType, draft: RowDraft, told: tuple[list[Rule], datetime], who: Standing
) -> tuple[Case, str]:
    """Return the case of a row, and the duty that takes it on."""
    rules, at = told
    way = route(kind, draft.areas, draft.filled, rules)
    return matters.begun(kind, way, Action(transition=OPEN, filled=draft.filled), who, at), way.post


def _running(matters: Matters, connection: sa.Connection, new: CaseType) -> list[tuple[Row, Case]]:
    rows = casebook.running(connection, new.type_id, new.version)
    found = []
    for begin in range(0, len(rows), AT_ONCE):
        some = rows[begin : begin + AT_ONCE]
        steps = casebook.steps_of(connection, [row["case_no"] for row in some])
        found += [(row, case_of(row, steps[row["case_no"]], matters.ground)) for row in some]
    return found
