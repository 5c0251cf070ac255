"""Incidents and units in the terminal."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, Lang
from anlan.kernel.errors import BadInput, NoData

incident_app = typer.Typer(help="What needs a response: raise it, send units, follow it.", no_args_is_help=True)
unit_app = typer.Typer(help="Who responds: status, position, post.", no_args_is_help=True)

Url = Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")]
Id = Annotated[str, typer.Argument(help="The incident's id.")]
UnitId = Annotated[str, typer.Argument(help="The unit's id.")]
Heads = tuple[tuple[str, ...], tuple[str, ...]]

STATES = {
    "waiting": ("待派", "waiting"),
    "dispatched": ("已派", "dispatched"),
    "on_scene": ("处置中", "on scene"),
    "closed": ("已结", "closed"),
    "available": ("待命", "available"),
    "en_route": ("途中", "en route"),
    "returning": ("返程", "returning"),
    "out_of_service": ("停用", "out of service"),
}
BARRED = {
    "out_of_service": ("停用", "out of service"),
    "on_scene": ("处置中", "on scene"),
    "assigned": ("已有任务", "assigned"),
    "kind_unknown": ("类别未知", "kind unknown"),
    "no_position": ("位置未知", "no position"),
    "out_of_reach": ("到不了", "out of reach"),
    "not_needed": ("不符要求", "not what is needed"),
}
CAUSES = {
    "no_unit_free": ("无空闲单元", "no unit free"),
    "late_dispatch": ("派出过晚", "sent late"),
    "slow_turnout": ("出动过慢", "slow to set out"),
    "far": ("距离过远", "too far"),
    "slow_travel": ("途中过慢", "slow on the way"),
    "nobody_came": ("无人到达", "nobody came"),
}


@incident_app.command("list")
def incidents(
    url: Url = USUAL,
    past_hours: Annotated[float, typer.Option(help="Also those closed in so many hours.")] = 0.0,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Open incidents as they wait, the most urgent first."""
    told = Server(url).ask(f"/incidents?past_hours={past_hours}")
    if as_json:
        say.as_json(told)
        return
    shown = _table(
        (("编号", "类别", "级", "状态", "受理", "单元"), ("id", "kind", "prio", "state", "received", "units")), lang
    )
    for one in told["incidents"]:
        units = ", ".join(part["unit"] for part in one["assignments"] if part["available_at"] is None)
        name = say.name_in(one["name"], lang) or one["kind"]
        state = _word(STATES, one["state"], lang)
        shown.add_row(one["id"], name, str(one["priority"]), state, one["received_at"], units or "—")
    say.out.print(shown)


@incident_app.command("kinds")
def kinds(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """What there are playbooks for, and who must go."""
    told = Server(url).ask("/playbooks")
    if as_json:
        say.as_json(told)
        return
    shown = _table((("类别", "名称", "级", "时限", "要求"), ("kind", "name", "prio", "target", "needs")), lang)
    for one in told["kinds"]:
        needs = "; ".join(f"{part['units']} × {' + '.join(part['capabilities']) or '—'}" for part in one["needs"])
        name = say.name_in(one["name"], lang)
        shown.add_row(one["kind"], name, str(one["priority"]), f"{one['target_s']:g} s", needs)
    say.out.print(shown)


@incident_app.command("raise")
def raise_(
    kind: Annotated[str, typer.Argument(help="A kind; `anlan incident kinds` lists them.")],
    at: Annotated[str, typer.Argument(help="Longitude,latitude.")],
    note: Annotated[str, typer.Option(help="About the need, never about anybody; forgotten in time.")] = "",
    url: Url = USUAL,
    as_json: AsJson = False,
) -> None:
    """Raise an incident; its id is printed."""
    made = Server(url).ask("/incidents", {"kind": kind, "at": _spot(at), "note": note})
    say.as_json(made) if as_json else say.out.print(made["id"])


@incident_app.command()
def recommend(incident_id: Id, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Who should go now, when each would be there, and what cover would be left."""
    made = Server(url).ask(f"/incidents/{incident_id}/recommendation")
    if as_json:
        say.as_json(made)
        return
    if made["reason"] is not None:
        raise NoData(f"incident {incident_id!r}", "is closed, and nobody is recommended", "raise a new one")
    zh = lang == "zh"
    heads = (
        ("", "单元", "到达", "90 % 区间", "按时", "少覆盖", "注"),
        ("", "unit", "arrival", "90 %", "in time", "cover lost", "note"),
    )
    shown = _table(heads, lang)
    for one in made["candidates"]:
        note = _word(BARRED, one["barred"], lang) if one["barred"] else ", ".join(one["has"])
        if one["takes_from"]:
            note += f"（抽调自 {one['takes_from']}）" if zh else f" (taken from {one['takes_from']})"
        span = "—" if one["low_s"] is None else f"{one['low_s']:.0f}–{one['high_s']:.0f} s"
        shown.add_row(
            "→" if one["chosen"] else "",
            one["unit"],
            "—" if one["expected_s"] is None else f"{one['expected_s']:.0f} s",
            span,
            "—" if one["within"] is None else f"{one['within']:.0%}",
            f"{one['cover_lost']:.1%}",
            escape(note),
        )
    say.out.print(shown)
    words = "三分钟覆盖" if zh else "covered within three minutes"
    say.out.print(f"{words}: {made['cover_now']:.1%} → {made['cover_after']:.1%}")
    for part in made["missing"]:
        lacks = " + ".join(part["capabilities"]) or "—"
        say.out.print(f"[red]{'缺' if zh else 'missing'}: {part['units']} × {lacks}, {part['crew']}+[/]")


@incident_app.command()
def dispatch(
    incident_id: Id,
    units: Annotated[list[str] | None, typer.Argument(help="Units; the recommended ones where none is named.")] = None,
    reason: Annotated[str, typer.Option(help="Why others than recommended.")] = "",
    url: Url = USUAL,
) -> None:
    """Send units."""
    server = Server(url)
    sent = units or server.ask(f"/incidents/{incident_id}/recommendation")["chosen"]
    if not sent:
        raise BadInput("units=[]", "must name at least one unit: nobody is recommended", "name one, with a --reason")
    made = server.ask(f"/incidents/{incident_id}/dispatch", {"units": sent, "reason": reason})
    say.out.print(", ".join(part["unit"] for part in made["assignments"] if part["available_at"] is None))


@incident_app.command()
def close(
    incident_id: Id,
    outcome: Annotated[str, typer.Argument(help="What came of it: resolved, handed_over, nothing_found ...")],
    url: Url = USUAL,
) -> None:
    """Close an incident; whoever is still on it is free."""
    say.out.print(Server(url).ask(f"/incidents/{incident_id}/close", {"outcome": outcome})["state"])


@incident_app.command()
def proof(
    url: Url = USUAL,
    hours: Annotated[float, typer.Option(help="Of so many hours.")] = 24.0,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """What was really reached: within one, three and five minutes, in all and by kind."""
    made = Server(url).ask(f"/reach/proof?past_hours={hours}")
    if as_json:
        say.as_json(made)
        return
    heads = (
        ("类别", "起数", "到达", "中位", "90 %", "1 分钟", "3 分钟", "5 分钟"),
        ("kind", "n", "reached", "median", "90 %", "1 min", "3 min", "5 min"),
    )
    shown = _table(heads, lang)
    for one in [made["overall"], *made["by_kind"]]:
        times = [one["response_s"][name] for name in ("p50", "p90")]
        shares = [one["within"][clock]["share"] for clock in ("60", "180", "300")]
        shown.add_row(
            one["group"] or ("全部" if lang == "zh" else "all"),
            str(one["n"]),
            str(one["n_reached"]),
            *("—" if s is None else f"{s:.0f} s" for s in times),
            *("—" if part is None else f"{part:.0%}" for part in shares),
        )
    say.out.print(shown)
    if made["broken"]:
        causes = Counter(_word(CAUSES, one["cause"], lang) for one in made["broken"])
        told = "，" if lang == "zh" else ", "
        head = "未达目标" if lang == "zh" else "late"
        say.out.print(f"{head}: " + told.join(f"{cause} {n}" for cause, n in causes.most_common()))


@unit_app.command("list")
def units(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Every unit as it is now."""
    told = Server(url).ask("/units")
    if as_json:
        say.as_json(told)
        return
    shown = _table(
        (("编号", "名称", "人数", "状态", "警情", "位置"), ("id", "name", "crew", "status", "incident", "at")), lang
    )
    for one in told["units"]:
        spot = "—" if one["at"] is None else f"{one['at'][0]:.5f},{one['at'][1]:.5f}"
        status = _word(STATES, one["status"], lang)
        shown.add_row(one["id"], say.name_in(one["name"], lang), str(one["crew"]), status, one["incident"] or "—", spot)
    say.out.print(shown)


@unit_app.command()
def status(
    unit_id: UnitId,
    to: Annotated[str, typer.Argument(help="en_route, on_scene, returning, available or out_of_service.")],
    outcome: Annotated[str, typer.Option(help="What came of it, as the last unit leaves the scene.")] = "",
    url: Url = USUAL,
) -> None:
    """Report a unit's next step."""
    body = {"status": to, "outcome": outcome or None}
    say.out.print(Server(url).ask(f"/units/{unit_id}/status", body)["status"])


@unit_app.command()
def position(
    unit_id: UnitId,
    at: Annotated[str, typer.Argument(help="Longitude,latitude.")],
    moment: Annotated[
        str, typer.Option("--at", help="When, ISO 8601 with offset; the server's now where left out.")
    ] = "",
    url: Url = USUAL,
) -> None:
    """Report where a unit is; only the last position is kept."""
    server = Server(url)
    lon, lat = _spot(at)
    when = moment or server.ask("/units")["at"]
    told = server.ask("/units/positions", {"positions": [{"unit": unit_id, "at": when, "lon": lon, "lat": lat}]})
    if told["refused"]:
        value, _, rest = told["refused"][0]["message"].partition(" must ")
        rule, _, step = rest.rstrip(".").partition("; ")
        raise BadInput(value, f"must {rule}", step or "correct it")
    say.out.print(str(told["taken"]))


@unit_app.command()
def move(unit_id: UnitId, post: Annotated[str, typer.Argument(help="A post's id.")], url: Url = USUAL) -> None:
    """Give an idle unit another post to wait at."""
    say.out.print(Server(url).ask(f"/units/{unit_id}/move", {"post": post})["post"])


def _spot(text: str) -> list[float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"at={text!r}", "must be longitude,latitude", "write it like 121.490,31.240") from None
    return [lon, lat]


def _word(words: dict[str, tuple[str, str]], code: str, lang: str) -> str:
    return words.get(code, (code, code))[0 if lang == "zh" else 1]


def _table(heads: Heads, lang: str) -> Any:
    return say.table("", *heads[0 if lang == "zh" else 1])
