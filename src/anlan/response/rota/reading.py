"""A rota's problem from a TOML text and tables of staff, and a rota from its table; every fault with its remedy."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, timedelta
from typing import Any, TypeVar

from anlan.kernel.errors import BadInput
from anlan.response.rota.answer import Rota, Served
from anlan.response.rota.problem import Duty, Member, RotaProblem, Rules, Shift, Turn, Weights

T = TypeVar("T", Rules, Weights)
_TOP = {"begin_on", "n_days", "zone", "days_of_rest", "staff", "before", "rules", "weights", "shifts", "duties"}
_DUTY = {"label", "shifts", "area_km2", "per_km2", "least", "least_by_hour", "crew", "needs", "skill"}
_STAFF = ("id", "label", "skills", "duties", "week_h", "leave", "wishes")
_SERVED = ("date", "member", "duty", "shift")


def read_rota_problem(text: str, *, staff: str | None = None, before: str | None = None) -> RotaProblem:
    """Return the problem that a TOML text and its tables describe.

    Parameters
    ----------
    text : str
        See ``docs/rota.md``.
    staff : str, optional
        A CSV table of members; needed where the text names a file of them.
    before : str, optional
        A CSV table of what was served in the days before.

    Raises
    ------
    BadInput
        If it is no TOML, or anything in it is unknown, missing or breaks a rule.

    Examples
    --------
    >>> problem = read_rota_problem('''
    ... begin_on = 2026-12-07
    ... n_days = 7
    ... [shifts.day]
    ... begin = "08:00"
    ... length_h = 8
    ... [duties.gate]
    ... shifts = ["day"]
    ... crew = 1
    ... [[staff]]
    ... id = "a"
    ... leave = ["2026-12-08..2026-12-09"]
    ... ''')
    >>> len(problem.members[0].leave), problem.duties[0].crew
    (2, 1)
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"rota ({fault})", "must be TOML", "correct it at that place") from None
    _known(given, _TOP, "the rota")
    begin_on = _day(_needed(given, "begin_on", "the rota"), "begin_on")
    listed = given.get("staff", [])
    rows = list(_table(staff, _STAFF, "staff")) if staff is not None else listed
    if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
        raise BadInput(f"staff={listed!r}", "must be [[staff]] tables, or a file that is there", "give one of them")
    turns = _served(before, "before") if before is not None else {}
    rest = given.get("days_of_rest")
    return RotaProblem(
        begin_on=begin_on,
        n_days=_whole(given.get("n_days", 28), "n_days"),
        shifts=tuple(_shift(key, one) for key, one in _tables(given, "shifts")),
        duties=tuple(_duty(key, one) for key, one in _tables(given, "duties")),
        members=tuple(_member(row) for row in rows),
        rules=_options(given.get("rules", {}), Rules, "rules"),
        weights=_options(given.get("weights", {}), Weights, "weights"),
        before={cell: turn for cell, turn in turns.items() if cell[1] < begin_on},
        days_of_rest=None if rest is None else _days(rest, "days_of_rest"),
    )


def files_named(text: str) -> dict[str, str]:
    """Return which files a rota names: ``staff`` and ``before``; an unreadable text names none."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    return {name: given[name] for name in ("staff", "before") if isinstance(given.get(name), str)}


def zone_named(text: str) -> str:
    """Return the time zone that a rota names, or that of Shanghai."""
    zone = tomllib.loads(text).get("zone", "Asia/Shanghai")
    if not isinstance(zone, str):
        raise BadInput(f"zone={zone!r}", "must be a text", "write it like Asia/Shanghai")
    return zone


def write_served(served: Served) -> str:
    """Return a rota as a CSV table: date, member, duty, shift."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_SERVED)
    for (who, on), (duty_id, shift_id) in sorted(served.items(), key=lambda cell: (cell[0][1], cell[0][0])):
        table.writerow([on.isoformat(), who, duty_id, shift_id])
    return out.getvalue()


def read_served(text: str, problem: RotaProblem) -> Rota:
    """Return a rota from its table, so that it can be planned anew. Its cost is not known.

    Raises
    ------
    BadInput
        If a line is wrong, or names what the problem does not have.
    """
    served = _served(text, "rota")
    for (who, on), (duty_id, shift_id) in served.items():
        known = who in problem.member_of and duty_id in problem.duty_of and shift_id in problem.shift_of
        if not known or on not in problem.days:
            raise BadInput(
                f"{on} {who} {duty_id} {shift_id}", "must be a member, duty, shift and day of the problem",
                "give the table that was planned from it",
            )  # fmt: skip
    hours = sum(problem.shift_of[shift_id].length_h for _, shift_id in served.values())
    return Rota(served=served, cost_h=hours, bound_h=0.0, duty_h=hours, seconds=0.0)


def read_missing(texts: Iterable[str]) -> dict[str, frozenset[date]]:
    """Return who is missing when, from texts such as ``m7=2026-12-10..2026-12-12``."""
    made: dict[str, frozenset[date]] = {}
    for text in texts:
        who, _, days = text.partition("=")
        if not who or not days:
            raise BadInput(
                f"missing={text!r}", "must be MEMBER=DAY or MEMBER=DAY..DAY", "write m7=2026-12-10..2026-12-12"
            )
        made[who] = made.get(who, frozenset()) | _days(days.split(";"), f"missing={text!r}")
    return made


def _served(text: str, what: str) -> dict[tuple[str, date], Turn]:
    made: dict[tuple[str, date], Turn] = {}
    for row in _table(text, _SERVED, what):
        cell = (row["member"], _day(row["date"], f"{what}: date"))
        if cell in made:
            raise BadInput(f"{what}: {cell[0]} on {cell[1]}", "must begin one shift a day", "leave one of the two out")
        made[cell] = (row["duty"], row["shift"])
    return made


def _table(text: str, columns: tuple[str, ...], what: str) -> Iterable[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    heads = rows.fieldnames or []
    strange = [head for head in heads if head not in columns]
    if strange or columns[0] not in heads:
        raise BadInput(
            f"{what}: columns {', '.join(heads)}", f"must be of {', '.join(columns)}", "correct the first line"
        )
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise BadInput(f"{what}: line {number}", f"must have {len(heads)} fields", "correct it")
        yield {key: value.strip() for key, value in row.items()}


def _known(given: Mapping[str, Any], names: Iterable[str], what: str) -> None:
    strange = next((name for name in given if name not in names), None)
    if strange is not None:
        raise BadInput(f"{strange!r} in {what}", f"must be one of {', '.join(sorted(names))}", "correct the name")


def _needed(given: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in given:
        raise BadInput(f"{what} without {name}", f"must have {name}", "add it")
    return given[name]


def _tables(given: Mapping[str, Any], name: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    found = given.get(name, {})
    if not isinstance(found, dict) or any(not isinstance(one, dict) for one in found.values()):
        raise BadInput(f"{name}={found!r}", f"must be tables [{name}.ID]", "write one for each")
    return found.items()


def _options(given: Any, kind: type[T], what: str) -> T:
    if not isinstance(given, dict):
        raise BadInput(f"{what}={given!r}", f"must be a table [{what}]", "correct it")
    _known(given, [one.name for one in fields(kind)], what)
    made = {name: _number(value, f"{what}.{name}") for name, value in given.items()}
    if "most_nights" in made:
        made["most_nights"] = _whole(given["most_nights"], "rules.most_nights")
    return kind(**made)  # type: ignore[arg-type]  # every field is a number, most_nights a whole one


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{what}={value!r}", "must be a number", "correct it")
    return float(value)


def _whole(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"{what}={value!r}", "must be a whole number", "correct it")
    return value


def _texts(value: Any, what: str) -> tuple[str, ...]:
    """Return a list of texts; in a table they are parted by semicolons."""
    listed = [one.strip() for one in value.split(";") if one.strip()] if isinstance(value, str) else value
    if not isinstance(listed, list) or any(not isinstance(one, str) for one in listed):
        raise BadInput(f"{what}={value!r}", "must be a list of texts", "correct it")
    return tuple(listed)


def _day(value: Any, what: str) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadInput(f"{what}={value!r}", "must be a date", "write it like 2026-12-07") from None


def _days(value: Any, what: str) -> frozenset[date]:
    """Return days from dates and stretches such as ``2026-12-10..2026-12-14``."""
    listed = [one for one in value.split(";") if one.strip()] if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise BadInput(f"{what}={value!r}", "must be a list of dates", "write it like 2026-12-10..2026-12-14")
    made: set[date] = set()
    for one in listed:
        begin, parted, end = one.strip().partition("..") if isinstance(one, str) else (one, "", "")
        first = _day(begin, what)
        last = _day(end, what) if parted else first
        if not 0 <= (last - first).days <= 366:
            raise BadInput(f"{what}: {one}", "must end on or after its first day, within a year", "correct it")
        made |= {first + timedelta(days=k) for k in range((last - first).days + 1)}
    return frozenset(made)


def _label(given: Mapping[str, Any], key: str) -> dict[str, str]:
    label = given.get("label", {"en": key})
    if not isinstance(label, dict) or any(not isinstance(one, str) for one in label.values()):
        raise BadInput(f"label={label!r} of {key!r}", "must be texts by language", 'write { zh = "…", en = "…" }')
    return label


def _shift(key: str, given: Mapping[str, Any]) -> Shift:
    _known(given, {"label", "begin", "length_h", "rest_after_h"}, f"shift {key!r}")
    begin = _needed(given, "begin", f"shift {key!r}")
    hour, parted, minute = begin.partition(":") if isinstance(begin, str) else ("", "", "")
    if not (parted and hour.isdigit() and minute.isdigit() and int(minute) < 60):
        raise BadInput(f"begin={begin!r} of shift {key!r}", "must be a time of the day", "write it like 06:00")
    return Shift(
        shift_id=key, label=_label(given, key), begin_h=int(hour) + int(minute) / 60,
        length_h=_number(_needed(given, "length_h", f"shift {key!r}"), f"length_h of shift {key!r}"),
        rest_after_h=_number(given.get("rest_after_h", 0), f"rest_after_h of shift {key!r}"),
    )  # fmt: skip


def _duty(key: str, given: Mapping[str, Any]) -> Duty:
    what = f"duty {key!r}"
    _known(given, _DUTY, what)
    shifts = _texts(_needed(given, "shifts", what), f"shifts of {what}")
    needs = given.get("needs", {})
    if not isinstance(needs, dict):
        raise BadInput(f"needs={needs!r} of {what}", "must be numbers by skill", "write { driver = 1 }")
    needs = {skill: _whole(n, f"needs.{skill} of {what}") for skill, n in needs.items()}
    said = [name for name in ("per_km2", "least", "least_by_hour", "crew") if name in given]
    if len(said) != 1:
        raise BadInput(f"{what} with {', '.join(said) or 'no number'}",
                       "must say one of per_km2, least, least_by_hour, crew", "correct it")  # fmt: skip
    skill = given.get("skill", "")
    if not isinstance(skill, str):
        raise BadInput(f"skill={skill!r} of {what}", "must be a text", "name one skill")
    if said == ["per_km2"]:
        per = given["per_km2"]
        many = tuple(_number(one, f"per_km2 of {what}") for one in per) if isinstance(per, list) else None
        km2 = _number(_needed(given, "area_km2", what), f"area_km2 of {what}")
        made = Duty.patrol(key, _label(given, key), shifts=shifts, area_km2=km2, needs=needs,
                           per_km2=_number(per, f"per_km2 of {what}") if many is None else many)  # fmt: skip
        least: tuple[int, ...] = made.least_by_hour
    elif said == ["least"]:
        least = (_whole(given["least"], f"least of {what}"),) * 24
    elif said == ["least_by_hour"]:
        hours = given["least_by_hour"]
        if not isinstance(hours, list):
            raise BadInput(f"least_by_hour={hours!r} of {what}", "must be 24 numbers", "give one for each hour")
        least = tuple(_whole(one, f"least_by_hour of {what}") for one in hours)
    else:
        least = ()
    crew = _whole(given["crew"], f"crew of {what}") if "crew" in given else None
    return Duty(
        duty_id=key, label=_label(given, key), shifts=shifts, least_by_hour=least, crew=crew, needs=needs, skill=skill
    )


def _member(row: Mapping[str, Any]) -> Member:
    _known(row, _STAFF, "a member of staff")
    member_id = _needed(row, "id", "a member of staff")
    if not isinstance(member_id, str) or not member_id:
        raise BadInput(f"id={member_id!r} of a member of staff", "must be a text", "give the id of the account")
    what = f"member {member_id!r}"
    week = row.get("week_h") or 40
    try:
        week_h = float(week)
    except (TypeError, ValueError):
        raise BadInput(f"week_h={week!r} of {what}", "must be a number of hours", "correct it") from None
    label = row.get("label", "")
    if not isinstance(label, str):
        raise BadInput(f"label={label!r} of {what}", "must be a text", "correct it")
    return Member(
        member_id=member_id,
        label=label,
        skills=frozenset(_texts(row.get("skills", []), f"skills of {what}")),
        duties=frozenset(_texts(row.get("duties", []), f"duties of {what}")),
        week_h=week_h,
        leave=_days(row.get("leave", []), f"leave of {what}"),
        wishes=_days(row.get("wishes", []), f"wishes of {what}"),
    )
