"""Plans that run, in a terminal: live zones and triggers, what fired, what is counted for a case, rehearsals."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, Lang
from anlan.cli.matters import Url, Which, cases_app
from anlan.kernel.errors import Unavailable

Firing = Annotated[str, typer.Argument(help="The firing's id; `anlan cases firings` lists them.")]

__all__ = ["cases_app"]

UNITS = {"density_per_m2": "/m²", "occupancy": "", "flow_per_min": "/min"}


@cases_app.command()
def live(which: Which, url: Url = USUAL, as_json: AsJson = False) -> None:
    """Show the plan of an event at this minute: its zones, how far each trigger is, and what fired."""
    server = Server(url)
    told = server.ask(f"/cases/{quote(which)}/live")
    if as_json:
        say.as_json(told)
        return
    zones = say.table("", "zone", "counted by", "people>", "interval>", "capacity>", "density>", "most>")
    for one in told["zones"]:
        made = one["estimate"] or {}
        zones.add_row(
            escape(one["zone"]), one["ground"], _number(made.get("occupancy")),
            "—" if made.get("low") is None else f"{made['low']:,.0f}-{made['high']:,.0f}", f"{one['capacity']:,}",
            _number(made.get("density_per_m2"), 2), f"{one['most_per_m2']:g}",
        )  # fmt: skip
    say.out.print(zones)
    rows = say.table("", "zone", "measure", "above>", "min>", "now>", "action", "office", "state")
    for one in told["triggers"]:
        state = "[bold red]fired[/]" if one["firing"] else "above" if one["since_at"] else "below"
        rows.add_row(
            escape(one["zone"]), one["measure"], f"{one['above']:g}", f"{one['for_s'] / 60:g}",
            _number(one["value"], 2), escape(one["action"]), escape(one["office"]),
            state if told["runs"] else "does not run yet",
        )  # fmt: skip
    say.out.print(rows)
    _fired(server, told["firings"])


@cases_app.command()
def firings(
    past_hours: Annotated[int, typer.Option(min=0, max=720, help="Also what was over in so many hours.")] = 0,
    url: Url = USUAL, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List what triggers ask for now."""
    server = Server(url)
    told = server.ask(f"/firings?{urlencode({'past_hours': past_hours})}")
    if as_json:
        say.as_json(told)
    else:
        _fired(server, told["firings"])


@cases_app.command()
def done(firing: Firing, note: Annotated[str, typer.Option(help="What was done.")] = "", url: Url = USUAL) -> None:
    """Note that what a trigger asks for was done."""
    Server(url).ask(f"/firings/{quote(firing)}/done", {"note": note})
    say.out.print(f"{firing} [green]done[/]")


@cases_app.command()
def overrule(
    firing: Firing, note: Annotated[str, typer.Option(help="Why it is not done.")] = "", url: Url = USUAL
) -> None:
    """Overrule what a trigger asks for, with the reason."""
    Server(url).ask(f"/firings/{quote(firing)}/overrule", {"note": note})
    say.out.print(f"{firing} [yellow]overruled[/]")


@cases_app.command()
def counted(which: Which, url: Url = USUAL, as_json: AsJson = False) -> None:
    """Show what the district counts for a case by itself, and whether a place has changed."""
    server = Server(url)
    told = server.ask(f"/cases/{quote(which)}/counted")
    if as_json:
        say.as_json(told)
        return
    rows = say.table("", "field", "counted>", "from", "until")
    for one in told["numbers"]:
        rows.add_row(one["field"], _number(one["value"]), server.local(one["from_at"]), server.local(one["until_at"]))
    say.out.print(rows)
    for one in told["compared"]:
        ratios = [("beside the rest of the district", one["against"])] if one["against"] else []
        for what, ratio in [("alone", one["ratio"]), *ratios]:
            high = "∞" if ratio["high"] is None else f"{ratio['high']:.2f}"
            say.out.print(f"{what}: ratio {_number(ratio['value'], 2)} ({ratio['low']:.2f}-{high})")
        say.out.print(f"[bold]{one['verdict'].replace('_', ' ')}[/]")


@cases_app.command()
def rehearse(
    which: Which,
    crowd: Annotated[float, typer.Option(min=0.01, max=3, help="Share of those expected who come.")] = 1.0,
    scenario: Annotated[str, typer.Option(help="The day without the event; see `anlan twin scenarios`.")] = "",
    share: Annotated[float, typer.Option(min=0, max=3, help="Share of the visits of that day.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same evening.")] = 1,
    record: Annotated[Path | None, typer.Option(help="Where to write the record: .pdf or .docx.")] = None,
    lang: Lang = "zh", url: Url = USUAL, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Run the plan of an event over a simulated crowd, and show when its triggers would fire."""
    server, path = Server(url), f"/cases/{quote(which)}/rehearsals"
    before = {one["id"] for one in server.ask(path)["rehearsals"]}
    server.ask(path, {"scenario": scenario, "crowd": crowd, "share": share, "seed": seed})
    made = _followed(server, path, before, quiet=as_json)
    if record is not None:
        form = "docx" if record.suffix == ".docx" else "pdf"
        content = server.fetch(f"{path}/{quote(made['id'])}/record?{urlencode({'form': form, 'lang': lang})}")
        record.write_bytes(content)
    if as_json:
        say.as_json(made)
        return
    zones = say.table("", "zone", "most people>", "interval>", "at", "capacity>", "over, min>", "too dense, min>")
    for one in made["zones"]:
        peak = one["peak"] or {}
        low = peak.get("low")
        zones.add_row(
            escape(one["zone"]), _number(peak.get("occupancy")), "—" if low is None else f"{low:,}-{peak['high']:,}",
            server.local(peak.get("at")), f"{one['capacity']:,}", str(one["over_capacity_min"]),
            str(one["over_density_min"]),
        )  # fmt: skip
    say.out.print(zones)
    rows = say.table("", "zone", "condition", "action", "office", "fired", "highest>")
    for one in made["triggers"]:
        fired = ", ".join(server.local(each["at"], "%H:%M") for each in one["fired"])
        rows.add_row(
            escape(one["zone"]), f"{one['measure']} > {one['above']:g}{UNITS[one['measure']]}", escape(one["action"]),
            escape(one["office"]), f"[bold red]{fired}[/]" if fired else "no", _number(one["highest"], 2),
        )  # fmt: skip
    say.out.print(rows)


def _followed(server: Server, path: str, before: set[str], *, quiet: bool) -> dict[str, Any]:
    """Wait until a rehearsal is kept, and return it."""
    while True:
        going = server.ask(f"{path}/going")["going"]
        if going is None or going["over"]:
            kept = server.ask(path)["rehearsals"]
            made: dict[str, Any] | None = next((one for one in kept if one["id"] not in before), None)
            if made is not None:
                return made
            fault = (going or {}).get("fault") or "it was stopped"
            raise Unavailable("the rehearsal", f"came to nothing: {fault}", "correct the plan, or try again")
        if not quiet:
            say.out.print(f"{going['doing']} {going['share']:.0%}", end="\r")
        time.sleep(0.5)


def _fired(server: Server, every: list[dict[str, Any]]) -> None:
    if not every:
        say.out.print("nothing fired")
        return
    rows = say.table("", "firing", "zone", "action", "office", "at", "highest>", "over", "answer")
    for one in every:
        answer = escape(f"{one['mark'] or ''} {one['note']}".strip())
        words = (escape(one[name] or "") for name in ("zone", "action", "office"))
        at, over = server.local(one["at"]), server.local(one["ended_at"])
        rows.add_row(one["id"], *words, at, _number(one["highest"], 2), over, answer)
    say.out.print(rows)


def _number(value: float | None, digits: int = 0) -> str:
    return "—" if value is None else f"{value:,.{digits}f}"
