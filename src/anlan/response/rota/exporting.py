"""A rota for calendars (iCalendar, RFC 5545) and for spreadsheets (.xlsx)."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import NotFound
from anlan.kernel.records import Label
from anlan.response.rota.answer import Rota
from anlan.response.rota.loads import loads_of
from anlan.response.rota.problem import RotaProblem

PRODUCT = "-//Anlan//rota//EN"
_HEADS = {
    "zh": (
        "排班",
        "工时与公平",
        "在岗人数",
        "人员",
        "工时（小时）",
        "合同工时",
        "夜班",
        "休息日班",
        "休假天数",
        "岗位",
    ),
    "en": (
        "Rota",
        "Hours",
        "On duty",
        "member",
        "hours",
        "contract, h",
        "nights",
        "on days of rest",
        "days of leave",
        "duty",
    ),
}


def to_icalendar(
    problem: RotaProblem,
    rota: Rota,
    *,
    zone: ZoneInfo,
    at: datetime,
    member_id: str | None = None,
    language: str = "zh",
) -> bytes:
    """Return a rota as an iCalendar text: one entry for each shift, of one member or of all.

    The same shift has the same UID whenever it is written, and a later writing has a higher SEQUENCE, so that a
    calendar that subscribes to it replaces what changed. Moments carry the zone and its definition.

    Parameters
    ----------
    zone : ZoneInfo
        In which the rota's hours are meant.
    at : datetime
        When it is written, with a zone.

    Raises
    ------
    NotFound
        If the member is not in the rota's problem.
    BadInput
        If ``at`` has no zone.

    References
    ----------
    B. Desruisseaux (2009), RFC 5545, sections 3.6.1, 3.6.5, 3.8.4.7 and 3.8.7.4.
    """
    if member_id is not None and member_id not in problem.member_of:
        raise NotFound(f"member {member_id!r}", "is not in the rota", "give the id of a member")
    written_at = as_utc(at, "at")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for (who, on), (duty_id, shift_id) in rota.served.items():
        if member_id is not None and who != member_id:
            continue
        shift = problem.shift_of[shift_id]
        begin = datetime.combine(on, time(shift.begin_min // 60, shift.begin_min % 60), tzinfo=zone)
        end_on, minute = on + timedelta(days=shift.end_min // 1440), shift.end_min % 1440
        entry = Event()
        entry.add("uid", f"{on.isoformat()}-{who}@rota.anlan")
        entry.add("dtstamp", written_at)
        entry.add("sequence", int(written_at.timestamp()) // 60 % 2**31)
        entry.add("dtstart", begin)
        entry.add("dtend", datetime.combine(end_on, time(minute // 60, minute % 60), tzinfo=zone))
        told = f"{_told(problem.duty_of[duty_id].label, duty_id, language)} {_told(shift.label, shift_id, language)}"
        entry.add("summary", told if member_id is not None else f"{who}: {told}")
        calendar.add_component(entry)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def to_xlsx(problem: RotaProblem, rota: Rota, *, language: str = "zh") -> bytes:
    """Return a rota as a workbook: who serves when; hours, nights and days of rest of each; how many are on duty."""
    heads = _HEADS.get(language, _HEADS["en"])
    book, out = Workbook(), io.BytesIO()
    bold, resting, night = Font(bold=True), PatternFill("solid", "F4F4F4"), PatternFill("solid", "D7DDEE")
    grid = book.worksheets[0]
    grid.title = heads[0]
    grid.freeze_panes = "B2"
    _write(grid, 1, [heads[3], *(on.isoformat() for on in problem.days)], bold)
    for row, member in enumerate(problem.members, 2):
        _write(grid, row, [member.label or member.member_id])
        for column, on in enumerate(problem.days, 2):
            turn = rota.served.get((member.member_id, on))
            if turn is not None:
                shift = problem.shift_of[turn[1]]
                told = [(problem.duty_of[turn[0]].label, turn[0]), (shift.label, turn[1])]
                cell = _put(grid, row, column, " ".join(_told(label, key, language) for label, key in told))
                if shift.is_night:
                    cell.fill = night
            elif problem.is_rest_day(on):
                grid.cell(row, column).fill = resting
    hours = book.create_sheet(heads[1])
    _write(hours, 1, heads[3:9], bold)
    for row, one in enumerate(loads_of(problem, rota), 2):
        _write(hours, row, [one.label, one.hours, one.contract_h, one.n_nights, one.n_rest_days, one.n_leave])
    cover = book.create_sheet(heads[2])
    _write(cover, 1, [heads[9], *(on.isoformat() for on in problem.days)], bold)
    for row, duty in enumerate(problem.duties, 2):
        n = [sum(turn[0] == duty.duty_id for (_, day), turn in rota.served.items() if day == on) for on in problem.days]
        _write(cover, row, [_told(duty.label, duty.duty_id, language), *n])
    book.save(out)
    return out.getvalue()


def _write(sheet: Any, row: int, cells: Iterable[object], font: Font | None = None) -> None:
    for column, one in enumerate(cells, 1):
        cell = _put(sheet, row, column, one)
        if font is not None:
            cell.font = font
            cell.fill = PatternFill("solid", "E7ECF3")


def _put(sheet: Any, row: int, column: int, one: object) -> Any:
    """Write a cell; a text that begins with = is no formula."""
    cell = sheet.cell(row, column, one)
    if isinstance(one, str):
        cell.data_type = "s"
    return cell


def _told(label: Label, key: str, language: str) -> str:
    return label.get(language) or label.get("en") or key
