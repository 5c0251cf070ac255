"""The intervals held against cameras that were withheld: proved now, or as they were proved last."""

from __future__ import annotations

import time
from datetime import date
from typing import Annotated, Any

import typer

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, Lang
from anlan.kernel.errors import BadInput, Unavailable

LOOKS_EVERY_S = 1.0


def prove(
    on: Annotated[str, typer.Option("--on", help="A past day: 2026-11-26. Yesterday if not given.")] = "",
    last: Annotated[bool, typer.Option("--last", help="Tell what was proved last; prove nothing.")] = False,
    url: Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")] = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Hold the 90 % intervals against cameras: a past day is estimated again with a quarter of them withheld in turn.

    It takes some minutes, in a program beside the server. What is found applies from the next minutes on.
    """
    server = Server(url)
    if last and on:
        raise BadInput(f"--on {on} --last", "must not be given together", "leave one of them out")
    if not last:
        _prove(server, on, quiet=as_json, zh=lang == "zh")
    made = server.ask("/proof")
    if as_json:
        say.as_json(made)
        return
    _show(made, lang)


def _prove(server: Server, on: str, *, quiet: bool, zh: bool) -> None:
    """Let the server prove a day, and wait until it has."""
    if on:
        try:
            date.fromisoformat(on)
        except ValueError:
            raise BadInput(f"on={on!r}", "must be a day", "write it like 2026-11-26") from None
    begun = server.ask("/proof", {"on": on or None}, method="POST")
    told = -1
    while (proving := begun["proving"]) is not None:
        part = int(10 * proving["share"])
        if part != told and not quiet:
            told = part
            say.out.print(f"{proving['on']}：{10 * part} %" if zh else f"{proving['on']}: {10 * part} %")
        time.sleep(LOOKS_EVERY_S)
        begun = server.ask("/proof")
    if begun["fault"] is not None:
        raise Unavailable(f"on={on or 'yesterday'}", f"could not be proved ({begun['fault']})", "choose another day")


def _show(made: dict[str, Any], lang: str) -> None:
    zh, day = lang == "zh", made["day"]
    if day is None:
        say.out.print("尚未验证：anlan prove 会验证昨天" if zh else "not proven yet: `anlan prove` proves yesterday")
        return
    heads = ("设备", "名称", "小时>", "区间命中（此前）>", "区间命中（现在）>", "平均误差>") if zh else (
        "device", "name", "hours>", "held before>", "held now>", "mean error>"
    )  # fmt: skip
    shown = say.table(day["on"], *heads)
    for one in day["views"]:
        error = "" if one["error"] is None else f"{one['error']:.0%}"
        shown.add_row(
            one["id"], say.name_in(one["name"], lang), str(one["hours"]),
            f"{one['held_before']:.0%}", f"{one['held']:.0%}", error,
        )  # fmt: skip
    whole = ("全部", "all")[0 if zh else 1]
    shown.add_row(whole, "", str(day["hours"]), f"{day['held_before']:.0%}", f"{day['held']:.0%}", "")
    say.out.print(shown)
    factors = f"{day['before']:.2f}", f"{made['factor']:.2f}"
    say.out.print(
        f"区间宽度系数：此前 {factors[0]}，现在 {factors[1]}（共 {made['n_days']} 天，{made['hours']:.0f} 设备小时）"
        if zh
        else f"factor on the widths: {factors[0]} before, {factors[1]} now "
        f"({made['n_days']} days, {made['hours']:.0f} hours of devices)"
    )
    if made["raw"] is None:
        say.out.print("摄像机太少，宽度不变" if zh else "there are too few cameras: the widths stay as they are")
    if day["afresh"]:
        say.out.print(
            "当天未保存状态，由零开始重算，只评 10 时以后"
            if zh
            else "no state was kept of that day: it was estimated from nothing, and judged from ten o'clock on"
        )
