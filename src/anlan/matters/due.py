"""What time does to cases: clocks tell, and what is over long enough is forgotten.

Asked again, or after a restart, it comes to the same: what was told is told once, at the moment at which it was due.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec
import sqlalchemy as sa

from anlan.cases import Case, Firing, firings, forget
from anlan.kernel.clock import as_utc
from anlan.kernel.records import Draft, Json
from anlan.matters.follow import drop_beside
from anlan.matters.ground import Ground
from anlan.matters.keeping import KIND, Matters
from anlan.matters.routing import owner_area
from anlan.matters.rows import aside_of, case_of, filed_of, step_of
from anlan.store import casebook, private
from anlan.store.casebook import Row, micros
from anlan.store.records import canonical
from anlan.store.sql import version_of

BATCH = 200
"""So many cases in one transaction, so that nobody waits long."""
KEPT = 2
"""What a row and its entry say; with a new number they are computed anew at the next opening."""
CLOCK = "clock"
"""Who tells and who forgets, in the log."""


def tell_due(matters: Matters, at: datetime) -> int:
    """Tell whatever clocks have to tell by a moment, each once; return how many were told."""
    with matters.store.reading() as connection:  # it is asked every second, and mostly there is nothing
        if not casebook.due(connection, at, 1):
            return 0
    total = 0
    while True:
        changes, n_cases = matters.store.together(at, lambda connection: _tell(matters, connection, at))
        matters.announce(changes)
        total += len(changes)
        if n_cases < BATCH:
            return total


def forget_due(matters: Matters, at: datetime) -> int:
    """Forget whatever is to be forgotten by a moment: in the tables, the search, the files; return how many cases.

    The log keeps that there was a case of a type, and which steps were taken when; it never had more.
    """
    total = 0
    while True:
        changes, digests = matters.store.together(at, lambda connection: _forget(matters, connection, at))
        matters.room.remove(digests)
        matters.announce(changes)
        total += len(changes)
        if len(changes) < BATCH:
            break
    if total:
        matters.store.wipe(casebook.wipe)
        matters.store.wipe(private.wipe)
    matters.room.sweep()
    return total


def settle(matters: Matters, at: datetime) -> None:
    """Compute rows anew where the district's areas or its calendar have changed since they were written."""
    calendar = matters.work.calendar
    told = [sorted(map(str, calendar.rest_days)), sorted(map(str, calendar.working_days)), str(matters.work)]
    digest = canonical({"keeping": KEPT, "areas": matters.ground.digest, "work": repr(told)})
    with matters.store.reading() as connection:
        if casebook.read_setting(connection, "settled") == digest:
            return
    after = 0
    while True:
        begun = after
        _, after = matters.store.together(at, lambda connection: ([], _settle(matters, connection, begun)))  # noqa: B023 - it is called at once
        if not after:
            break
    with matters.store.writing() as connection:
        casebook.keep_setting(connection, "settled", digest)


def _settle(matters: Matters, connection: sa.Connection, after: int) -> int:
    rows = casebook.every_row(connection, after, BATCH)
    steps = casebook.steps_of(connection, [row["case_no"] for row in rows])
    for row in rows:
        case = case_of(row, steps[row["case_no"]], matters.ground)
        casebook.put_row(connection, filed_of(matters.kinds.of(row), case, aside_of(row), matters.ground, matters.work))
    return rows[-1]["case_no"] if rows else 0


def _tell(matters: Matters, connection: sa.Connection, at: datetime) -> tuple[list[Draft], int]:
    rows = casebook.due(connection, at, BATCH)
    steps = casebook.steps_of(connection, [row["case_no"] for row in rows])
    drafts: list[Draft] = []
    for row in rows:
        kind, case = matters.kinds.of(row), case_of(row, steps[row["case_no"]], matters.ground)
        aside = aside_of(row)
        told = firings(kind, case, matters.work, since_at=aside.told_at, until_at=at)
        casebook.add_tellings(connection, [_telling(matters.ground, row, case, one) for one in told])
        version = version_of(connection, KIND, case.case_id)
        for one in told:
            body: Json = {"type": case.type_id, "clock": one.clock_id, "share": one.share}
            drafts.append(
                Draft(
                    kind=KIND, record_id=case.case_id, action=_called(one), actor=CLOCK, body=body,
                    expected_version=version,
                )
            )  # fmt: skip
            version = (version or 0) + 1
        made = filed_of(kind, case, replace(aside, told_at=as_utc(at, "at")), matters.ground, matters.work)
        casebook.put_row(connection, made)
    return drafts, len(rows)


def _called(firing: Firing) -> str:
    if firing.share < 1:
        return "warn"
    return "breach" if firing.share == 1 else "climb"


def _telling(ground: Ground, row: Row, case: Case, firing: Firing) -> Row:
    """Return whom a clock tells: the owner as it was at that moment, the area above it, or the top."""
    level = next(one.owner_level for one in reversed(case.history) if one.at <= firing.at)
    order = list(case.areas)
    if firing.to == "top":
        level = order[0]
    elif firing.to == "up" and level in order:
        level = order[max(order.index(level) - 1, 0)]
    area_id = owner_area(case.areas, level)
    return {
        "case_no": row["case_no"], "clock_id": firing.clock_id, "at": micros(firing.at), "share": firing.share,
        "climb": firing.to, "letter": int(firing.letter), "area_id": area_id, "rank": ground.rank(area_id),
    }  # fmt: skip


def _forget(matters: Matters, connection: sa.Connection, at: datetime) -> tuple[list[Draft], list[str]]:
    rows = casebook.to_forget(connection, at, BATCH)
    steps = casebook.steps_of(connection, [row["case_no"] for row in rows])
    drafts: list[Draft] = []
    digests: list[str] = []
    for row in rows:
        kind, case = matters.kinds.of(row), case_of(row, steps[row["case_no"]], matters.ground)
        case, record = forget(kind, case, matters.work, at)
        aside = aside_of(row)
        casebook.put_row(connection, filed_of(kind, case, aside, matters.ground, matters.work))
        lines = [step_of(aside.number, k, one) for k, one in enumerate(case.history)]
        casebook.rewrite_steps(connection, aside.number, lines)
        digests += casebook.forget(connection, aside.number)
        drop_beside(connection, case.case_id)
        kept = {"case_id": case.case_id, "type_id": case.type_id, "destroyed_at": micros(at)}
        rank = matters.ground.rank(list(case.areas.values())[-1])
        casebook.keep_destruction(connection, kept | {"rank": rank, "body": canonical(msgspec.to_builtins(record))})
        drafts.append(
            Draft(
                kind=KIND, record_id=case.case_id, action="forget", actor=CLOCK, body={"type": case.type_id},
                expected_version=version_of(connection, KIND, case.case_id),
            )
        )  # fmt: skip
    return drafts, digests
