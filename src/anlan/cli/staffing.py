"""Who works here, from the terminal: accounts, offices, links to sign in, keys of programs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, Lang
from anlan.kernel.errors import BadInput, NotFound

staff_app = typer.Typer(help="Accounts, the offices they hold, and keys of programs.", no_args_is_help=True)

Url = Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")]
Who = Annotated[str, typer.Argument(help="The name that the account signs in with.")]


@staff_app.command("list")
def list_(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Every account, and the offices it holds."""
    server = Server(url)
    accounts, offices = server.ask("/accounts")["accounts"], server.ask("/offices")["offices"]
    if as_json:
        say.as_json({"accounts": accounts, "offices": offices})
        return
    zh = lang == "zh"
    shown = say.table("", *(("登录名", "姓名", "岗位") if zh else ("signs in as", "name", "offices")))
    for one in accounts:
        held = [office for office in offices for by in office["holdings"] if by["account"] == one["id"]]
        told = [f"{say.name_in(office['name'], lang)} ({office['area']})" for office in held]
        shown.add_row(one["name"], one["shown_name"], escape("; ".join(told)) or "—")
    say.out.print(shown)


@staff_app.command("offices")
def offices(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The organisation: every office, its roles and area, and who holds it."""
    server = Server(url)
    made = server.ask("/offices")
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    names = {one["id"]: one["name"] for one in server.ask("/accounts")["accounts"]}
    heads = ("编号", "岗位", "角色", "区域", "任职") if zh else ("id", "office", "roles", "area", "held by")
    shown = say.table("", *heads)
    for one in made["offices"]:
        deputy = "（副）" if zh else " (deputy)"
        by = [names.get(h["account"], h["account"]) + (deputy if h["deputy"] else "") for h in one["holdings"]]
        shown.add_row(one["id"], say.name_in(one["name"], lang), ", ".join(one["roles"]), one["area"], "; ".join(by))
    say.out.print(shown)


@staff_app.command()
def link(
    name: Annotated[str, typer.Argument(help="The account's name; nothing for the very first account.")] = "",
    url: Url = USUAL,
) -> None:
    """A link that signs an account in once, within a quarter of an hour: hand it over in person."""
    server = Server(url)
    if not name:
        say.out.print(f"{server.url}/#first={server.ask('/first-link', {})['link']}", soft_wrap=True)
        return
    made = server.ask(f"/accounts/{_account(server, name)['id']}/link", {})
    say.out.print(f"{server.url}/#enter={made['link']}", soft_wrap=True)


@staff_app.command()
def add(
    name: Who,
    shown: Annotated[str, typer.Option("--shown", help="How others read it.")] = "",
    role: Annotated[list[str] | None, typer.Option(help="A role of its office; several may be given.")] = None,
    area: Annotated[str, typer.Option(help="The area of the office; the whole district if empty.")] = "",
    office: Annotated[str, typer.Option(help="What the office is called, if not as its first role.")] = "",
    url: Url = USUAL,
    lang: Lang = "zh",
) -> None:
    """Open an account, give it an office of its own where roles are named, and print its link to sign in."""
    server = Server(url)
    known = {one["id"]: one["name"] for one in server.ask("/roles")["roles"]}
    unknown = [one for one in role or () if one not in known]
    if unknown:
        raise BadInput(f"role={unknown[0]!r}", f"must be one of {', '.join(known)}", "choose one")
    made_for: Any = None
    if role:
        called: Any = {lang: office} if office else known[role[0]]
        made_for = {"name": called, "roles": list(role), "area": area or server.ask("/district")["root"]}
    account = server.ask("/accounts", {"name": name, "shown_name": shown or name, "office": made_for})
    made = server.ask(f"/accounts/{account['id']}/link", {})
    say.out.print(f"{server.url}/#enter={made['link']}", soft_wrap=True)


@staff_app.command()
def remove(name: Who, url: Url = USUAL) -> None:
    """Let an account go: signed out, its offices vacant, its name forgotten."""
    server = Server(url)
    server.ask(f"/accounts/{_account(server, name)['id']}", method="DELETE")
    say.out.print("[green]ok[/]")


@staff_app.command()
def key(
    label: Annotated[str, typer.Argument(help="What program it is for.")],
    right: Annotated[list[str], typer.Option(help="Such as observations.act; several may be given.")],
    area: Annotated[str, typer.Option(help="Where it holds; the whole district if empty.")] = "",
    until: Annotated[str, typer.Option(help="When it ends, ISO 8601 with offset; never if empty.")] = "",
    url: Url = USUAL,
) -> None:
    """Make a key for a program, and print it: it is told this once."""
    server = Server(url)
    area = area or server.ask("/district")["root"]
    made = server.ask("/keys", {"label": label, "rights": right, "area": area, "until_at": until or None})
    say.out.print(made["key"], soft_wrap=True)


@staff_app.command()
def keys(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The keys that have not been withdrawn."""
    made = Server(url).ask("/keys")
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    shown = say.table(
        "", *(("编号", "用途", "权限", "区域", "到期") if zh else ("id", "for", "rights", "area", "until"))
    )
    for one in made["keys"]:
        shown.add_row(one["id"], escape(one["label"]), ", ".join(one["rights"]), one["area"], one["until_at"] or "—")
    say.out.print(shown)


@staff_app.command("withdraw-key")
def withdraw_key(
    key_id: Annotated[str, typer.Argument(help="Its id; see `anlan staff keys`.")], url: Url = USUAL
) -> None:
    """End a key at once."""
    Server(url).ask(f"/keys/{key_id}", method="DELETE")
    say.out.print("[green]ok[/]")


def _account(server: Server, name: str) -> dict[str, Any]:
    every: list[dict[str, Any]] = server.ask("/accounts")["accounts"]
    found = next((one for one in every if one["name"] == name.strip().casefold()), None)
    if found is None:
        raise NotFound(f"account {name!r}", "does not exist", "see `anlan staff list`")
    return found
