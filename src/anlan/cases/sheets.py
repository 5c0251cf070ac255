"""Many cases from one sheet: every row is read first and every fault is told; nothing is opened while one is left."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from anlan.cases.definition import OPEN, CaseType, Field, FieldKind
from anlan.cases.machine import Action, By, Case, open_case
from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput, Unavailable

MOST_ROWS = 20_000
MOST_BYTES = 20_000_000
"""A sheet of that many rows is far smaller; what is unpacked may be ten times as much."""
AREA = ("area", "区域", "所在区域")
"""Headings of the column that says where a case lies: by the id of the area, or its name."""
_YES, _NO = {"true", "yes", "y", "1", "是", "有"}, {"false", "no", "n", "0", "否", "无"}
Cells = Sequence[Sequence[Any]]
"""The rows of a sheet, its headings first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A row that can become a case: its number in the sheet, where it lies, and what it tells."""

    row: int
    areas: Mapping[str, str]
    filled: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """What is wrong with one cell or row: the row's number in the sheet (headings are row 1), its column, and why."""

    row: int
    column: str
    value: str
    rule: str
    next_step: str

    def __str__(self) -> str:
        where = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{where}: {self.value} {self.rule}; {self.next_step}."


@dataclass(frozen=True, slots=True)
class Drafts:
    """What a sheet would open, and every fault in it."""

    drafts: tuple[Draft, ...]
    faults: tuple[RowFault, ...]


def read_cells(content: bytes, file: str) -> Cells:
    """Return the rows of a sheet in .csv (UTF-8 or GB 18030) or .xlsx (its first sheet), headings first.

    Raises
    ------
    BadInput
        If it is neither, cannot be read, or has more than `MOST_ROWS` rows.
    Unavailable
        If it is .xlsx and the extra for sheets is not installed.
    """
    if len(content) > MOST_BYTES:
        raise BadInput(f"file {file!r} of {len(content)} bytes", f"must have <= {MOST_BYTES}", "split the sheet")
    if file.lower().endswith(".xlsx"):
        rows = _xlsx(content, file)
    elif file.lower().endswith(".csv"):
        rows = _csv(content, file)
    else:
        raise BadInput(f"file {file!r}", "must end in .csv or .xlsx", "save the sheet as one of these")
    if len(rows) > MOST_ROWS + 1:
        raise BadInput(f"{len(rows) - 1} rows", f"must be <= {MOST_ROWS}", "split the sheet")
    return rows


def _csv(content: bytes, file: str) -> Cells:
    for coding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(coding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as fault:
            raise BadInput(f"file {file!r}", f"must be a .csv ({fault})", "save the sheet anew") from None
    raise BadInput(f"file {file!r}", "must be text in UTF-8 or GB 18030", "save the sheet as CSV UTF-8")


def _xlsx(content: bytes, file: str) -> Cells:
    try:
        import openpyxl  # noqa: PLC0415 - an extra, which a district may lack
        from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 - the same extra
    except ImportError:
        raise Unavailable(f"file {file!r}", "needs openpyxl", "pip install 'anlan[papers]', or save as .csv") from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(one.file_size for one in packed.infolist())
        if unpacked > 10 * MOST_BYTES:
            raise BadInput(f"file {file!r} of {unpacked} bytes unpacked", f"must have <= {10 * MOST_BYTES}", "split it")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as fault:
        raise BadInput(f"file {file!r}", f"must be a sheet in .xlsx ({fault})", "save the sheet anew") from None
    rows = []
    for row in book.worksheets[0].iter_rows(values_only=True):
        rows.append(list(row))
        if len(rows) > MOST_ROWS + 1:
            break
    book.close()
    return rows


def read_drafts(kind: CaseType, cells: Cells, tree: AreaTree) -> Drafts:
    """Return the drafts of cases that a sheet holds, and every fault in it; nothing is opened by reading.

    Headings are ids or labels of fields, in either language, and one for the area. A row whose cells are all empty is
    passed over. Whatever could be told of a row is told, and of every row.

    Parameters
    ----------
    kind : CaseType
        The type of every case in the sheet.
    cells : Cells
        The rows, headings first; see `read_cells`.
    tree : AreaTree
        The areas of the district.
    """
    if not cells:
        return Drafts((), (_fault(1, "", "the sheet", "must have headings", "add them"),))
    columns, faults = _columns(kind, cells[0])
    if faults:
        return Drafts((), tuple(faults))
    drafts: list[Draft] = []
    seen: dict[str, int] = {}
    places = _places(tree)
    for n, row in enumerate(cells[1:], 2):
        if not any(_is_filled(cell) for cell in row):
            continue
        told: list[RowFault] = []
        draft = _draft(kind, n, (row, columns), places, told)
        key = repr((draft.areas, draft.filled))
        if key in seen and not told:
            told.append(_fault(n, "", "the row", f"must not be the same as row {seen[key]}", "take one out"))
        seen.setdefault(key, n)
        faults += told
        if not told:
            drafts.append(draft)
    if not drafts and not faults:
        faults.append(_fault(2, "", "the sheet", "must have a row below its headings", "add the rows"))
    return Drafts(tuple(drafts), tuple(faults))


def open_drafts(kind: CaseType, told: Drafts, by: By, *, at: datetime, new_id: Callable[[], str]) -> tuple[Case, ...]:
    """Return the cases of a sheet, all of them or none.

    Raises
    ------
    BadInput
        If the sheet has a fault; all are told.
    NotAllowed
        If the actor may not open such cases in every one of the areas.
    """
    if told.faults:
        listed = " ".join(str(one) for one in told.faults)
        raise BadInput("the sheet", f"has {len(told.faults)} faults, and nothing was opened: {listed}", "correct them")
    return tuple(
        open_case(kind, (new_id(), one.areas), Action(transition=OPEN, filled=one.filled), by, at)
        for one in told.drafts
    )


def _fault(row: int, column: str, value: str, rule: str, next_step: str) -> RowFault:
    return RowFault(row=row, column=column, value=value, rule=rule, next_step=next_step)


def _is_filled(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _columns(kind: CaseType, heads: Sequence[Any]) -> tuple[dict[int, str], list[RowFault]]:
    """Return which field each column holds; the area's is called ``area``."""
    known = dict.fromkeys(AREA, "")
    for name in kind.told_at_opening:
        if kind.fields[name].kind is not FieldKind.TABLE:
            known |= {name: name, **{str(text).strip(): name for text in kind.fields[name].label.values()}}
    columns: dict[int, str] = {}
    faults = []
    for k, head in enumerate(heads):
        if not _is_filled(head):
            continue
        word = str(head).strip()
        if word not in known:
            faults.append(_fault(1, word, "the heading", f"must be one of {', '.join(known)}", "correct it"))
        elif known[word] in columns.values():
            faults.append(_fault(1, word, "the heading", "must stand there once", "take one of the two out"))
        else:
            columns[k] = known[word]
    missing = [name for name in kind.told_at_opening if kind.fields[name].required and name not in columns.values()]
    missing += [] if "" in columns.values() else ["area"]
    return columns, [*faults, *(_fault(1, name, "the column", "must be in the sheet", "add it") for name in missing)]


def _places(tree: AreaTree) -> dict[str, list[dict[str, str]]]:
    """Return the areas by every word that may name them, each with the path that leads to it."""
    found: dict[str, list[dict[str, str]]] = {}
    for area in tree:
        path = {one.level: one.area_id for one in tree.path(area.area_id)}
        for word in {area.area_id, *(str(text) for text in area.name.values())}:
            found.setdefault(word, []).append(path)
    return found


def _draft(
    kind: CaseType,
    n: int,
    sheet: tuple[Sequence[Any], Mapping[int, str]],
    places: Mapping[str, list[dict[str, str]]],
    told: list[RowFault],
) -> Draft:
    row, columns = sheet
    areas: Mapping[str, str] = {}
    filled: dict[str, Any] = {}
    for k, name in columns.items():
        cell = row[k] if k < len(row) else None
        if name == "":
            areas = _area(kind, (n, cell), places, told)
        elif _is_filled(cell):
            try:
                filled[name] = kind.fields[name].check(_value(kind.fields[name], cell))
            except BadInput as fault:
                told.append(_fault(n, name, fault.value, fault.rule, fault.next_step))
        elif kind.fields[name].required:
            told.append(_fault(n, name, "the cell", "must be filled in", "fill it in"))
    spare = [cell for k, cell in enumerate(row) if k not in columns and _is_filled(cell)]
    if spare:
        told.append(_fault(n, "", f"cell {str(spare[0])[:40]!r}", "stands under no heading", "take it out"))
    return Draft(row=n, areas=areas, filled=filled)


def _area(
    kind: CaseType, cell: tuple[int, Any], places: Mapping[str, list[dict[str, str]]], told: list[RowFault]
) -> Mapping[str, str]:
    n, value = cell
    word = str(value).strip() if _is_filled(value) else ""
    found = places.get(word, [])
    if not word:
        told.append(_fault(n, "area", "the cell", "must be filled in", "give the id or name of an area"))
    elif len(found) != 1:
        rule = "must be an area of the district" if not found else f"is the name of {len(found)} areas"
        told.append(_fault(n, "area", repr(word)[:60], rule, "give the id of an area"))
    else:
        missing = [level for level in (kind.entry_level, kind.owner_level) if level not in found[0]]
        if not missing:
            return kind.lies_in(found[0])
        told.append(_fault(n, "area", repr(word)[:60], f"must lie in a {missing[0]}", "give an area further down"))
    return {}


def _value(one: Field, cell: Any) -> Any:
    """Return what a cell says, as its field takes it; what cannot be read is returned as it is, to be refused."""
    if one.kind is FieldKind.MOMENT:
        return cell.isoformat() if isinstance(cell, datetime) else str(cell).strip()
    if one.kind is FieldKind.DATE:
        return _date(cell)
    text = str(cell).strip()
    if one.kind is FieldKind.BOOLEAN:
        low = text.lower()
        return True if low in _YES else False if low in _NO else text
    if one.kind in {FieldKind.NUMBER, FieldKind.INTEGER}:
        return _number(text, whole=one.kind is FieldKind.INTEGER)
    if one.kind is FieldKind.CHOICE:
        return next((name for name, label in one.options.items() if text in {name, *label.values()}), text)
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else text


def _date(cell: Any) -> str:
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell.isoformat()
    text = str(cell).strip()
    for form in ("%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"):
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return text


def _number(text: str, *, whole: bool) -> Any:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return text
    return int(value) if whole and value.is_integer() else value
