"""Plans in a terminal: who serves when."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.districts import AsJson, Lang
from anlan.kernel.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from anlan.response.posting import Stop
    from anlan.response.rota import Contradiction, Replanned, Rota, RotaProblem

SHOWN = 12


def rota_(
    file: Annotated[Path, typer.Argument(help="TOML: days, rules, shifts, duties, staff; see docs/rota.md.")],
    out: Annotated[Path | None, typer.Option(help="Folder for rota.csv, rota.ics and rota.xlsx.")] = None,
    member: Annotated[str, typer.Option(help="Only this member's shifts in rota.ics.")] = "",
    keep: Annotated[Path | None, typer.Option(help="A rota.csv to keep as far as can be; with --missing.")] = None,
    missing: Annotated[list[str] | None, typer.Option(help="Who is missing: m7=2026-12-10..2026-12-12.")] = None,
    begin: Annotated[
        str, typer.Option("--from", help="First day that may change; the first missing one if empty.")
    ] = "",
    seconds: Annotated[float, typer.Option(help="Longest search, s.")] = 60.0,
    gap: Annotated[float, typer.Option(help="Good enough: this far from the bound, as a share.")] = 0.005,
    seed: Annotated[int, typer.Option(help="Of the search.")] = 0,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Plan a rota, or one anew since somebody is missing; exit 5 where rules clash, 6 where none was found in time."""
    try:
        from anlan.response.posting import Stop
        from anlan.response.rota import Replanned, plan_rota
    except ImportError as fault:
        raise Unavailable(f"{fault.name}", "is needed to plan", "install it: pip install 'anlan[plan]'") from None

    text = _text(file)
    problem = _problem(file, text)
    stop = Stop(seconds=seconds, gap=gap)
    made: Rota | Replanned | tuple[Contradiction, ...]
    if keep is not None:
        with say.unprinted():
            made = _kept(problem, keep, missing or [], begin, stop, seed)
    elif missing:
        raise BadInput(f"missing={missing[0]!r}", "must come with a rota to keep", "give --keep rota.csv")
    else:
        with say.unprinted():
            made = plan_rota(problem, stop=stop, seed=seed)
    if isinstance(made, tuple):
        _say_clash(made, lang, as_json=as_json)
        raise typer.Exit(5)
    anew = made if isinstance(made, Replanned) else None
    rota = made.rota if isinstance(made, Replanned) else made
    if out is not None:
        _write(out, problem, rota, text, member, lang)
    if as_json:
        _print_json(rota, anew)
    else:
        _say_rota(problem, rota, lang)
        if anew is not None:
            _say_changes(anew, lang)
        _say_breaches(rota, lang)
    if not rota.kept:
        raise typer.Exit(6)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"file {str(file)!r}", "does not exist", "give one that does") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise Unavailable(f"file {str(file)!r}", f"cannot be read ({fault})", "give a text file in UTF-8") from None


def _problem(file: Path, text: str) -> RotaProblem:
    from anlan.response.rota.reading import files_named, read_rota_problem

    tables = {name: _text(file.parent / path) for name, path in files_named(text).items()}
    return read_rota_problem(text, staff=tables.get("staff"), before=tables.get("before"))


def _kept(
    problem: RotaProblem, keep: Path, missing: list[str], begin: str, stop: Stop, seed: int
) -> Replanned | tuple[Contradiction, ...]:
    from anlan.response.rota import read_served, replan_rota
    from anlan.response.rota.reading import read_missing

    away = read_missing(missing)
    days = [min(one) for one in away.values()]
    try:
        from_on = date.fromisoformat(begin) if begin else min(days, default=problem.begin_on)
    except ValueError:
        raise BadInput(f"from={begin!r}", "must be a date", "write it like 2026-12-10") from None
    return replan_rota(problem, read_served(_text(keep), problem), away, from_on=from_on, stop=stop, seed=seed)


def _write(out: Path, problem: RotaProblem, rota: Rota, text: str, member: str, lang: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from anlan.response.rota import write_served
    from anlan.response.rota.exporting import to_icalendar, to_xlsx
    from anlan.response.rota.reading import zone_named

    name = zone_named(text)
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"zone={name!r}", "must be a time zone such as Asia/Shanghai", "correct it") from None
    calendar = to_icalendar(
        problem, rota, zone=zone, at=datetime.now(UTC), member_id=member or None, language=lang
    )  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "rota.csv").write_text(write_served(rota.served), encoding="utf-8")
        (out / "rota.ics").write_bytes(calendar)
        (out / "rota.xlsx").write_bytes(to_xlsx(problem, rota, language=lang))
    except OSError as fault:
        raise Unavailable(f"folder {str(out)!r}", f"cannot be written ({fault})", "give another with --out") from None


def _print_json(rota: Rota, anew: Replanned | None) -> None:
    say.as_json({
        "kept": rota.kept, "cost_h": rota.cost_h, "bound_h": rota.bound_h, "gap": rota.gap, "duty_h": rota.duty_h,
        "breaches": [f"{one.kind} {one.subject}: {one.told}" for one in rota.breaches],
        "served": [{"date": on.isoformat(), "member": who, "duty": turn[0], "shift": turn[1]}
                   for (who, on), turn in rota.served.items()],
        "changes": None if anew is None else [
            {"date": one.on.isoformat(), "member": one.member_id, "was": one.was, "now": one.now}
            for one in anew.changes
        ],
        "least_changes": None if anew is None else anew.least_changes,
    })  # fmt: skip


def _say_rota(problem: RotaProblem, rota: Rota, lang: str) -> None:
    from anlan.response.rota import loads_of

    loads, zh = loads_of(problem, rota), lang == "zh"
    shown = say.table("", "", *(("最少>", "最多>") if zh else ("least>", "most>")))
    for (name_zh, name_en), values in (
        (("工时（小时）", "hours"), [one.hours for one in loads]),
        (("夜班", "nights"), [one.n_nights for one in loads]),
        (("休息日班", "shifts on days of rest"), [one.n_rest_days for one in loads]),
    ):
        shown.add_row(name_zh if zh else name_en, f"{min(values):g}", f"{max(values):g}")
    n, days, hours = len(problem.members), problem.n_days, f"{rota.duty_h:,.0f}"
    said = f"{n} 人 {days} 天，共 {hours} 小时" if zh else f"{n} members, {days} days, {hours} h of duty"
    if rota.bound_h > 0:
        said += f"；距下界 {rota.gap:.2%}" if zh else f"; {rota.gap:.2%} from the bound"
    say.out.print(said, soft_wrap=True)
    say.out.print(shown)


def _say_changes(anew: Replanned, lang: str) -> None:
    zh = lang == "zh"
    said = f"改动 {len(anew.changes)} 处" if zh else f"{len(anew.changes)} changes"
    if anew.proved:
        said += "，已证明最少" if zh else ", proved fewest"
    else:
        said += f"，至少 {anew.least_changes} 处" if zh else f", at least {anew.least_changes}"
    say.out.print(said)
    for one in anew.changes[:SHOWN]:
        was, now = (" ".join(turn) if turn else "—" for turn in (one.was, one.now))
        say.out.print(f"  {one.on} {escape(one.member_id)}: {escape(was)} → {escape(now)}", soft_wrap=True)


def _say_breaches(rota: Rota, lang: str) -> None:
    for breach in rota.breaches[:SHOWN]:
        say.out.print(f"[red]✗[/] {escape(breach.subject)}: {escape(breach.told)}", soft_wrap=True)
    if not rota.kept:
        said = "未在时限内找到满足全部规则的排班，以上为最接近的" if lang == "zh" else (
            "no rota that keeps every rule was found in time; this is the nearest"
        )  # fmt: skip
        say.out.print(f"[red]{said}[/]", soft_wrap=True)


def _say_clash(clashes: tuple[Contradiction, ...], lang: str, *, as_json: bool) -> None:
    if as_json:
        say.as_json({"clashes": [
            {"duties": one.duties, "n_members": one.n_members, "minimal": one.minimal,
             "rules": [{"kind": rule.kind, "told": text} for rule, text in zip(one.rules, one.told, strict=True)]}
            for one in clashes
        ]})  # fmt: skip
        return
    zh = lang == "zh"
    for one in clashes:
        where = ", ".join(one.duties)
        head = f"{where}（{one.n_members} 人）：以下规则不能同时满足" if zh else (
            f"{where} ({one.n_members} members): these rules cannot be kept together"
        )  # fmt: skip
        note = ("，去掉任何一条即可" if zh else "; without any one of them they can") if one.minimal else (
            "，时限内未能再缩小" if zh else "; there was no time to narrow them down"
        )  # fmt: skip
        say.out.print(escape(head + note), soft_wrap=True)
        for text in one.told[: SHOWN if not one.minimal else None]:
            say.out.print(f"  - {escape(text)}", soft_wrap=True)
        if not one.minimal and len(one.rules) > SHOWN:
            say.out.print(f"  … {len(one.rules) - SHOWN}")
