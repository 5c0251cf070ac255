"""Cases in a terminal: opened, moved, listed, routed and exported by a running server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, Lang
from anlan.kernel.errors import BadInput, NotFound, Unavailable

cases_app = typer.Typer(help="Cases: matters with an owner, a clock and an ending.", no_args_is_help=True)

Url = Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")]
Which = Annotated[str, typer.Argument(help="The case's id.")]
At = Annotated[str, typer.Option(help="lon,lat in degrees.")]
Fields = Annotated[list[str] | None, typer.Option("--field", help="name=value; several may be given.")]
Files = Annotated[list[str] | None, typer.Option("--file", help="kind=path of evidence; several may be given.")]
Kind = Annotated[str, typer.Option("--type", help="The type's id; see `anlan types list`.")]
Note = Annotated[str, typer.Option(help="Why.")]
Filters = Annotated[list[str] | None, typer.Option("--type", help="Any of these types.")]

COLOURS = {"red": "bold red", "yellow": "yellow", "green": "green", "none": "dim"}
LIGHTS = {"red": "红", "yellow": "黄", "green": "绿", "none": "—"}


def _place(at: str, area: str) -> dict[str, Any]:
    if area:
        return {"area": area}
    try:
        lon, lat = (float(part) for part in at.split(","))
    except ValueError:
        raise BadInput(
            f"at={at!r}", "must be lon,lat in degrees", "write it like 121.490,31.240, or give --area"
        ) from None
    return {"lon": lon, "lat": lat}


def _pairs(told: list[str] | None, name: str) -> dict[str, str]:
    pairs = dict.fromkeys(told or ())
    if any("=" not in one for one in pairs):
        raise BadInput(f"{name}={next(one for one in pairs if '=' not in one)!r}", "must be name=value", "write it so")
    return dict(one.split("=", 1) for one in pairs)


def _fields(server: Server, type_id: str, told: list[str] | None) -> dict[str, Any]:
    """Return what was told as the fields of a type hold it; where the type is not known, as it looks."""
    pairs = _pairs(told, "field")
    types = server.ask("/cases/types")["types"] if pairs and type_id else []
    kinds: list[dict[str, Any]] = next((one["fields"] for one in types if one["id"] == type_id), [])
    plain = (
        {one["id"] for one in kinds if one["kind"] in {"number", "integer", "boolean", "table"}}
        if type_id
        else set(pairs)
    )
    found: dict[str, Any] = {}
    for name, text in pairs.items():
        try:
            found[name] = json.loads(text) if name in plain else text
        except ValueError:
            if type_id:
                raise BadInput(
                    f"{name}={text!r}", "must be a number, true, false or a list of rows in JSON", "correct it"
                ) from None
            found[name] = text
    return found


def _type_of(server: Server, case_id: str) -> str:
    """Return a case's type; empty where whoever acts may not read it."""
    try:
        return str(server.ask(f"/cases/{quote(case_id)}")["type"])
    except NotFound:
        return ""


def _files(server: Server, told: list[str] | None) -> dict[str, str]:
    """Send files; return the digest of each."""
    return {
        kind: server.send("/cases/files", _bytes(Path(path)))["digest"] for kind, path in _pairs(told, "file").items()
    }


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Unavailable(f"file {path}", f"must be readable ({fault.strerror})", "correct the path") from None


@cases_app.command("open")
def open_(
    kind: Kind, at: At = "", area: Annotated[str, typer.Option(help="An area, instead of a point.")] = "",
    field: Fields = None, file: Files = None, note: Note = "",
    parent: Annotated[str, typer.Option(help="The case of which it is a part.")] = "",
    like: Annotated[str, typer.Option(help="A case of the same type whose plan it begins with.")] = "",
    url: Url = USUAL, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Open a case where it lies; the routing gives it an owner."""
    server = Server(url)
    body = {"type": kind, **_place(at, area), "filled": _fields(server, kind, field), "evidence": _files(server, file)}
    more = {"note": note, "parent": parent or None, "like": like or None}
    _taken(server.ask("/cases", body | more), as_json=as_json)


@cases_app.command()
def act(
    which: Which, step: Annotated[str, typer.Argument(help="The step; `anlan cases show` names those open to you.")],
    field: Fields = None, file: Files = None, note: Note = "",
    seen: Annotated[int, typer.Option(help="Refuse if there are other changes than so many; 0 does not ask.")] = 0,
    url: Url = USUAL, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Take a step."""
    server = Server(url)
    type_id = _type_of(server, which) if field else ""
    body = {"step": step, "filled": _fields(server, type_id, field), "evidence": _files(server, file), "note": note}
    _taken(server.ask(f"/cases/{quote(which)}/steps", body | {"seen": seen or None}), as_json=as_json)


@cases_app.command()
def link(
    which: Which, other: Annotated[str, typer.Argument(help="The case it waits for.")], url: Url = USUAL,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Let a case wait for another, as a gate of its type asks."""
    _taken(Server(url).ask(f"/cases/{quote(which)}/links/{quote(other)}", {}), as_json=as_json)


def _taken(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say.as_json(made)
    else:
        say.out.print(f"{made['id']} [green]{made['state']}[/] ({made['type']}, {made['n_changes']})")


def _query(kinds: list[str] | None, state: list[str] | None, **more: Any) -> str:
    told = [("type", one) for one in kinds or ()] + [("state", one) for one in state or ()]
    return urlencode(told + [(name, one) for name, one in more.items() if one not in {"", None}])


@cases_app.command("list")
def list_(
    kind: Filters = None, state: Annotated[list[str] | None, typer.Option(help="Any of these states.")] = None,
    area: Annotated[str, typer.Option(help="Lies in this area or below.")] = "",
    owner: Annotated[str, typer.Option(help="Is owned by this area.")] = "",
    light: Annotated[str, typer.Option(help="red, yellow, green or none.")] = "",
    words: Annotated[str, typer.Option("--search", help="Words that it must hold.")] = "",
    order: Annotated[str, typer.Option(help="changed, opened or due.")] = "changed",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    after: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
    url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """The cases that one may see, a page at a time."""
    asked = _query(kind, state, area=area, owner=owner, light=light, q=words, order=order, limit=limit, after=after)
    server = Server(url)
    made = server.ask(f"/cases?{asked}")
    if as_json:
        say.as_json(made)
        return
    heads = {
        "zh": ("编号", "类型", "状态", "灯", "区域", "责任区域", "到期"),
        "en": ("id", "type", "state", "light", "area", "owned by", "due"),
    }
    say.listed(heads, (
        (one["id"], say.name_in(one["label"], lang), say.name_in(one["state_label"], lang), _light(one["light"], lang),
         one["area"], one["owner_area"], server.local(one["due_at"]))
        for one in made["cases"]
    ), lang)  # fmt: skip
    if made["next"]:
        say.out.print(f"--after {made['next']}")


@cases_app.command()
def counts(kind: Filters = None, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """How many, by type, state and light."""
    made = Server(url).ask(f"/cases/counts?{_query(kind, None)}")
    if as_json:
        say.as_json(made)
        return
    heads = {"zh": ("类型", "状态", "灯", "件数>"), "en": ("type", "state", "light", "cases>")}
    counted = ((one["type"], one["state"], _light(one["light"], lang), str(one["n_cases"])) for one in made["counts"])
    say.listed(heads, counted, lang)


def _light(light: str, lang: str) -> str:
    return f"[{COLOURS[light]}]{LIGHTS[light] if lang == 'zh' else light}[/]"


@cases_app.command()
def show(which: Which, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """One case: what it says, its clocks, its history, and the steps that are open to you."""
    server = Server(url)
    one, past = server.ask(f"/cases/{quote(which)}"), server.ask(f"/cases/{quote(which)}/history")["history"]
    if as_json:
        say.as_json(one | {"history": past})
        return
    colour = COLOURS[one["light"]]
    say.out.print(f"{one['id']} {say.name_in(one['label'], lang)} [{colour}]{say.name_in(one['state_label'], lang)}[/]")
    for name, value in one["fields"].items():
        say.out.print(f"  {say.name_in(one['field_labels'][name], lang)}: {escape(str(value))}", soft_wrap=True)
    for clock in one["clocks"]:
        due = server.local(clock["due_at"])
        say.out.print(f"  [{COLOURS[clock['light']]}]{say.name_in(clock['label'], lang)}[/] {clock['phase']} {due}")
    heads = {"zh": ("时间", "步骤", "状态", "经办", "说明"), "en": ("at", "step", "state", "by", "note")}
    lines = (
        (server.local(line["at"]), line["step"], line["target"], line["actor"], escape(line["note"])) for line in past
    )
    say.listed(heads, lines, lang)
    for step in one["steps"]:
        takes = ", ".join([*step["needs"], *step["evidence"], *(["note"] if step["note"] else [])])
        say.out.print(f"  → {step['id']} {say.name_in(step['label'], lang)}{f' ({takes})' if takes else ''}")


@cases_app.command()
def route(
    kind: Kind, at: At = "", area: Annotated[str, typer.Option(help="An area, instead of a point.")] = "",
    field: Fields = None, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Where would a case go, and why: every rule that is looked at. Nothing is opened."""
    server = Server(url)
    made = server.ask("/cases/route", {"type": kind, **_place(at, area), "filled": _fields(server, kind, field)})
    if as_json:
        say.as_json(made)
        return
    say.out.print(" → ".join(f"{level} {name}" for level, name in reversed(made["areas"].items())), soft_wrap=True)
    for rule in made["rules"]:
        mark = f"[dim]✗ {escape(rule['missed'])}[/]" if rule["missed"] else "[green]✓[/]"
        say.out.print(f"  {rule['id']} {mark}", soft_wrap=True)
    say.out.print(f"[bold]{made['owner_level']} {made['owner_area']}[/] {say.name_in(made['because'], lang)}")


@cases_app.command()
def export(
    out: Annotated[Path, typer.Argument(help="CSV file to write.")], kind: Filters = None,
    state: Annotated[list[str] | None, typer.Option(help="Any of these states.")] = None,
    area: Annotated[str, typer.Option(help="Lies in this area or below.")] = "",
    ids: Annotated[bool, typer.Option("--ids", help="Ids alone, for a program: no words.")] = False,
    lang: Lang = "zh", url: Url = USUAL,
) -> None:  # fmt: skip
    """Write the cases that one may see; with one type, its fields too. The log keeps that it was done."""
    wanted = _query(kind, state, area=area, lang="" if ids else lang)
    content = Server(url).fetch(f"/cases/export?{wanted}")
    n_lines = max(content.count(b"\r\n") - 1, 0)
    say.wrote(out, content, f": {n_lines:,} lines")


Dry = Annotated[bool, typer.Option("--dry-run", help="Tell what would be, and change nothing.")]


@cases_app.command("import")
def import_(
    sheet: Annotated[Path, typer.Argument(help="A .csv or .xlsx: one case a row, headings first.")],
    kind: Kind, parent: Annotated[str, typer.Option(help="The case of which they are parts.")] = "",
    dry_run: Dry = False, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Open a case for each row of a sheet, all of them or none; every fault is told, and ends with 2."""
    server, content = Server(url), _bytes(sheet)
    asked = {"type": kind, "file": sheet.name} | ({"parent": parent} if parent else {})
    made = server.send(f"/cases/import?{urlencode(asked | {'dry_run': dry_run})}", content)
    if as_json:
        say.as_json(made)
    for one in () if as_json else made["faults"]:
        where = f"row {one['row']}{', ' if one['column'] else ''}{one['column']}"
        say.out.print(f"[red]✗[/] {escape(where)}: {escape(one['value'])} {escape(one['rule'])}; "
                      f"{escape(one['next_step'])}.", soft_wrap=True)  # fmt: skip
    if not as_json:
        n, n_opened, bad = made["n_cases"], len(made["opened"]), len(made["faults"])
        zh = f"可登记 {n} 行，已登记 {n_opened} 件，错误 {bad} 处"
        say.out.print(zh if lang == "zh" else f"{n} rows can be opened, {n_opened} were, {bad} faults")
    if made["faults"]:
        raise typer.Exit(2)


@cases_app.command()
def migrate(
    kind: Kind, to: Annotated[int, typer.Option(min=1, help="The version.")], dry_run: Dry = False, url: Url = USUAL,
    as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Move running cases of a type to another version, all or none; what does not fit is told, and ends with 5."""
    made = Server(url).ask("/cases/migrate", {"type": kind, "to": to, "dry_run": dry_run})
    if as_json:
        say.as_json(made)
    for one in () if as_json else made["misfits"]:
        text = f"{one['case']} {one['where']}: {one['value']} {one['rule']}; {one['next_step']}."
        say.out.print(f"[red]✗[/] {escape(text)}", soft_wrap=True)
    if not as_json:
        n, n_moved, bad = made["n_cases"], made["n_moved"], len({one["case"] for one in made["misfits"]})
        zh = f"在办 {n} 件，已迁移 {n_moved} 件，不符 {bad} 件"
        say.out.print(zh if lang == "zh" else f"{n} running cases, {n_moved} moved, {bad} do not fit")
    if made["misfits"]:
        raise typer.Exit(5)


@cases_app.command()
def papers(which: Which, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The papers that a case gives, and why one is not given yet."""
    made = Server(url).ask(f"/cases/{quote(which)}/papers")
    if as_json:
        say.as_json(made)
        return
    for one in made["papers"]:
        mark = f"[dim]✗ {escape(one['missed'])}[/]" if one["missed"] else "[green]✓[/]"
        say.out.print(f"{one['id']} {say.name_in(one['label'], lang)} {mark}", soft_wrap=True)


@cases_app.command()
def paper(
    which: Which, document: Annotated[str, typer.Argument(help="Its id; see `anlan cases papers`.")],
    out: Annotated[Path, typer.Argument(help="The file to write, .pdf or .docx.")],
    reason: Annotated[str, typer.Option(help="What a letter asks.")] = "", url: Url = USUAL, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Issue a paper of a case; the log keeps that it was."""
    asked = urlencode({"form": out.suffix.lower().lstrip("."), "lang": lang, "reason": reason})
    say.wrote(out, Server(url).fetch(f"/cases/{quote(which)}/papers/{quote(document)}?{asked}"))
