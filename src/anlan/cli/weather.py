"""The weather of a running district: what is known of it, and a file of hours for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, Lang
from anlan.cli.known import hours_from
from anlan.kernel.clock import parse_moment


def weather_(
    file: Annotated[
        Path | None, typer.Argument(help="CSV to hand in: time, rain_mm, temperature_c; issued_at of forecasts.")
    ] = None,
    issued: Annotated[str, typer.Option("--issued-at", help="When the forecast in the file was made.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of moments without an offset, such as Asia/Shanghai.")] = "",
    url: Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")] = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """The weather that was measured last and the next hours'; or hand in a file of hours, measured or foreseen.

    An hour with an issued_at is a forecast that was made then; without one it was measured. Up to 20,000 hours are
    taken all or none.
    """
    server, zh = Server(url), lang == "zh"
    if file is None:
        made = server.ask("/weather")
        if as_json:
            say.as_json(made)
        else:
            _show(server, made, zh=zh)
        return
    from anlan.ingest.weather import MOST_HOURS, weather_message

    hours = hours_from(file, zone or None, parse_moment(issued, "issued_at") if issued else None)
    taken = {"measured": 0, "foreseen": 0}
    for first in range(0, len(hours), MOST_HOURS):
        receipt = server.send("/weather", weather_message(hours[first : first + MOST_HOURS]))
        taken = {name: n + receipt[name] for name, n in taken.items()}
    if as_json:
        say.as_json(taken)
    elif zh:
        say.out.print(f"已收：实测 {taken['measured']:,} 小时，预报 {taken['foreseen']:,} 小时")
    else:
        say.out.print(f"taken: {taken['measured']:,} hours measured, {taken['foreseen']:,} foreseen")


def _show(server: Server, made: dict[str, Any], *, zh: bool) -> None:
    rows = [("实测" if zh else "measured", made["measured"])] if made["measured"] else []
    rows += [("预报" if zh else "foreseen", one) for one in made["ahead"]]
    known = [(kind, one) for kind, one in rows if (one["rain_mm"], one["temperature_c"]) != (None, None)]
    if not known:
        say.out.print("天气未知：近两小时没有实测，也没有有效预报" if zh else (
            "the weather is unknown: nothing was measured in the last two hours, and no forecast stands"
        ))  # fmt: skip
        return
    shown = say.table("", *(("时段", "来源", "降雨 mm>", "气温 °C>") if zh else ("hour", "from", "rain mm>", "°C>")))
    for kind, one in rows:
        numbers = [
            ("未知" if zh else "unknown") if n is None else f"{n:.1f}" for n in (one["rain_mm"], one["temperature_c"])
        ]
        shown.add_row(server.local(one["time"], "%m-%d %H:%M"), kind, *numbers)
    say.out.print(shown)
