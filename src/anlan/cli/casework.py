"""Case types in a terminal: is it sound, what does it look like, does its example go as its author meant."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.districts import AsJson, District, Lang
from anlan.kernel.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from datetime import datetime

    from anlan.cases import Case, CaseType, WorkTime

types_app = typer.Typer(help="Case types: procedures as data.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(help="A shipped type's id, or a TOML file of your own.")]

LIGHTS = {"green": "green", "yellow": "yellow", "red": "bold red"}
SECRECY = {
    "public": ("公开", "public"),
    "internal": ("内部", "internal"),
    "restricted": ("限本类岗位", "restricted"),
    "sealed": ("密封", "sealed"),
}


def _text(which: str) -> tuple[str, str]:
    """Return the text of a type, from a file or as it is shipped, and where it stands."""
    from anlan.cases.library import shipped_text

    path = Path(which)
    if path.suffix != ".toml":
        return shipped_text(which), f"{which}.toml"
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except FileNotFoundError:
        raise NotFound(f"file {which!r}", "does not exist", "give a case type as TOML") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise Unavailable(f"file {which!r}", f"cannot be read ({fault})", "give a text file in UTF-8") from None


@types_app.command("list")
def list_(as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The case types that come with Anlan."""
    from anlan.cases import shipped_types

    kinds = list(shipped_types())
    if as_json:
        say.as_json({"types": [{"id": one.type_id, "version": one.version, "label": one.label} for one in kinds]})
        return
    zh = lang == "zh"
    heads = ("编号", "名称", "状态>", "步骤>", "时限>", "知悉范围") if zh else (
        "id", "name", "states>", "steps>", "clocks>", "read by"
    )  # fmt: skip
    shown = say.table("", *heads)
    for one in kinds:
        counted = [str(len(part)) for part in (one.states, one.transitions, one.clocks)]
        shown.add_row(
            one.type_id, say.name_in(dict(one.label), lang), *counted, SECRECY[one.confidentiality][0 if zh else 1]
        )
    say.out.print(shown)


@types_app.command()
def lint(which: Which, as_json: AsJson = False) -> None:
    """Tell every fault of a type with its remedy, and replay its example; exit with 2 where one blocks."""
    from anlan.cases import lint_type, read_type, replay

    text, where = _text(which)
    faults = lint_type(text, where)
    blocking = sum(fault.blocking for fault in faults)
    if as_json:
        say.as_json({"faults": [asdict(fault) for fault in faults]})
    for fault in () if as_json else faults:
        word = "[red]fault[/]" if fault.blocking else "[yellow]advice[/]"
        say.out.print(f"{word} {escape(str(fault))}", soft_wrap=True)
    if blocking:
        raise typer.Exit(2)
    told = replay(read_type(text, where))
    if not as_json:
        say.out.print(f"[green]ok[/]: {len(told)} lines of its example go as written")


@types_app.command()
def diagram(which: Which, lang: Lang = "zh") -> None:
    """Print the states and steps of a type as a Mermaid diagram."""
    from anlan.cases import diagram as drawn
    from anlan.cases import read_type

    say.out.print(drawn(read_type(*_text(which)), lang), end="", markup=False, soft_wrap=True)


@types_app.command()
def page(which: Which) -> None:
    """Print a type as a page in Markdown: its picture, clocks, tables, rules, papers, and when it is forgotten."""
    from anlan.cases import read_type
    from anlan.cases.page import page as written

    say.out.print(written(read_type(*_text(which))), end="", markup=False, soft_wrap=True)


@types_app.command()
def sheet(
    which: Which,
    file: Annotated[Path, typer.Argument(help="A sheet, .csv or .xlsx: one case a row, headings first.")],
    district: District = "huangpu",
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Try a sheet of many cases: all its faults are told, and nothing is opened; exit with 2 where there is one."""
    from anlan.cases import read_type
    from anlan.cases.sheets import read_cells, read_drafts
    from anlan.pack import find_pack, read_pack

    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"file {str(file)!r}", "does not exist", "give a .csv or .xlsx") from None
    except OSError as fault:
        raise Unavailable(f"file {str(file)!r}", f"cannot be read ({fault})", "give a .csv or .xlsx") from None
    kind = read_type(*_text(which))
    told = read_drafts(kind, read_cells(content, file.name), read_pack(find_pack(district)).areas)
    if as_json:
        say.as_json({"n_drafts": len(told.drafts), "faults": [asdict(one) for one in told.faults]})
    for one in () if as_json else told.faults:
        say.out.print(f"[red]✗[/] {escape(str(one))}", soft_wrap=True)
    if not as_json:
        n, bad = len(told.drafts), len(told.faults)
        say.out.print(f"可登记 {n} 行，错误 {bad} 处" if lang == "zh" else f"{n} rows can be opened, {bad} faults")
    if told.faults:
        raise typer.Exit(2)


@types_app.command("try")
def try_(
    which: Which,
    district: District = "huangpu",
    at: Annotated[str, typer.Option(help="Read the clocks at this moment; at its last line if empty.")] = "",
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Play a type's example under a district's calendar: each line, what was refused and why, and its clocks."""
    from anlan.cases import read_clocks, read_type, replay
    from anlan.kernel.clock import parse_moment

    kind = read_type(*_text(which))
    told = replay(kind)
    if not told:
        raise NotFound(f"example of {kind.type_id}", "does not exist", "add [[example]] rows to the type")
    last = told[-1].case
    assert last is not None  # noqa: S101 - an example begins with an opening that was taken, or replay refused it
    work = _work_time(district)
    moment = parse_moment(at) if at else told[-1].trial.at
    clocks = read_clocks(kind, last, work, moment)
    if as_json:
        steps = [{"at": one.trial.at.isoformat(), "do": one.trial.do, "by": one.trial.by,
                  "state": one.case.state if one.case else None,
                  "refused": str(one.refusal) if one.refusal else None} for one in told]  # fmt: skip
        say.as_json({"type": kind.type_id, "steps": steps, "clocks": [
            {"id": one.clock_id, "phase": one.phase, "light": one.light, "elapsed_s": one.elapsed.total_seconds(),
             "limit_s": one.limit.total_seconds(), "due_at": one.due_at.isoformat() if one.due_at else None,
             "provisional_years": one.provisional_years} for one in clocks
        ]})  # fmt: skip
        return
    zh = lang == "zh"
    shown = say.table("", *(("时间", "步骤", "岗位", "状态") if zh else ("at", "step", "role", "state")))
    for one in told:
        step = kind.transitions.get(one.trial.do)
        name = say.name_in(dict(step.label), lang) if step else ("登记" if zh else "open")
        state = say.name_in(dict(kind.states[one.case.state].label), lang) if one.case else ""
        shown.add_row(
            one.trial.at.astimezone(work.zone).strftime("%Y-%m-%d %H:%M"), name,
            say.name_in(dict(kind.roles.get(one.trial.role, {"en": one.trial.role})), lang),
            f"[yellow]✗[/] {escape(str(one.refusal))}" if one.refusal else state,
        )  # fmt: skip
    say.out.print(shown)
    _print_clocks(kind, last, work, moment, lang)


def _print_clocks(kind: CaseType, case: Case, work: WorkTime, at: datetime, lang: str) -> None:
    from anlan.cases import forget_at, read_clocks

    zh = lang == "zh"
    phases = {"not_started": "未开始", "running": "计时中", "resting": "暂停", "stopped": "已停止"}
    heads = ("时限", "状态", "已用>", "限额>", "到期") if zh else ("clock", "it is", "used>", "of>", "due")
    shown = say.table("", *heads)
    for rule, one in zip(kind.clocks, read_clocks(kind, case, work, at), strict=True):
        colour = LIGHTS[one.light]
        due = one.due_at.astimezone(work.zone).strftime("%Y-%m-%d %H:%M") if one.due_at else "—"
        if one.provisional_years:
            years = ", ".join(map(str, one.provisional_years))
            due += f" ({years} 年日历未确认)" if zh else f" (calendar of {years} not confirmed)"
        hours = [f"{part.total_seconds() / 3600:,.1f} h" for part in (one.elapsed, one.limit)]
        phase = phases[one.phase] if zh else one.phase.replace("_", " ")
        shown.add_row(say.name_in(dict(rule.label), lang), f"[{colour}]{phase}[/]", *hours, due)
    if kind.clocks:
        say.out.print(shown)
    forgotten_at = forget_at(kind, case, work)
    if forgotten_at is not None:
        day = forgotten_at.astimezone(work.zone).strftime("%Y-%m-%d %H:%M")
        basis = say.name_in(dict(kind.retention.basis), lang)
        say.out.print(f"{'遗忘时间' if zh else 'forgotten at'} {day}: {basis}", soft_wrap=True)


def _work_time(district: str) -> WorkTime:
    from zoneinfo import ZoneInfo

    from anlan.cases import WorkTime
    from anlan.pack import find_pack, read_pack

    pack = read_pack(find_pack(district))
    return WorkTime(calendar=pack.calendar, zone=ZoneInfo(pack.time_zone))
