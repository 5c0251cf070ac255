"""What is to be expected: of a place that is counted, and how right forecasts would have been on a file of counts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anlan.cli import say
from anlan.cli.asking import USUAL, Server, polygon_of
from anlan.cli.districts import AsJson, Lang
from anlan.cli.known import moment, planned_from, weather_from
from anlan.kernel.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from anlan.crowd.forecast import Series
    from anlan.kernel.records import Calendar

forecast_app = typer.Typer(help="How many people will be where.", no_args_is_help=True)


@forecast_app.command("place")
def place(
    place_id: Annotated[str, typer.Argument(help="Its id; see `anlan places --json`.")],
    url: Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")] = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """The next hours of a place."""
    _show_forecast(Server(url).ask(f"/places/{place_id}/forecast"), as_json=as_json, lang=lang)


@forecast_app.command("polygon")
def polygon(
    file: Annotated[Path, typer.Argument(help="GeoJSON file: a polygon, a feature or a collection of one.")],
    url: Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")] = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """The next hours of any polygon: a day of them, once eight days of it are kept."""
    made = Server(url).ask("/count/forecast", {"polygon": polygon_of(file)})
    _show_forecast(made, as_json=as_json, lang=lang)


def _show_forecast(made: Any, *, as_json: bool, lang: str) -> None:
    """Print a forecast: how far ahead, how many, and what it rests on."""
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    if made["basis"] is None:
        say.out.print(
            "还不能预测：计数不足十分钟" if zh else "nothing can be told yet: counted for less than ten minutes"
        )
        return
    shown = say.table("", *(("提前>", "人数>", "90 % 区间>") if zh else ("ahead>", "people>", "90 % interval>")))
    begin = datetime.fromisoformat(made["made_at"])
    for point in made["points"]:
        minutes = (datetime.fromisoformat(point["at"]) - begin).total_seconds() / 60
        ahead = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
        if point["hidden"]:
            shown.add_row(ahead, f"<{point['high']:.0f}", "")
        else:
            shown.add_row(ahead, f"{point['occupancy']:,.0f}", f"{point['low']:,.0f}–{point['high']:,.0f}")
    say.out.print(shown)
    weather = ("，并计入天气", ", with the weather") if made["by_weather"] else ("", "")
    say.out.print(say.BASIS[made["basis"]][0 if zh else 1] + weather[0 if zh else 1])


@forecast_app.command("backtest")
def backtest_(
    file: Annotated[Path, typer.Argument(help="CSV: time and a column for each counter, or time, counter, count.")],
    judged_from: Annotated[str, typer.Option("--from", help="The first day that is judged: 2025-01-01.")],
    zone: Annotated[str, typer.Option(help="Time zone of moments with an offset; others are wall clocks.")] = "UTC",
    country: Annotated[str, typer.Option(help="Public holidays of: NZ, or AU-VIC; none if empty.")] = "",
    ahead: Annotated[list[int] | None, typer.Option(help="Minutes ahead, once or more; 60 if not given.")] = None,
    planned: Annotated[
        Path | None, typer.Option(help="CSV of what was planned: begin_at, end_at, counter, added.")
    ] = None,
    weather: Annotated[Path | None, typer.Option(help="CSV of hours: time, rain_mm, temperature_c.")] = None,
    foreseen: Annotated[
        bool, typer.Option("--foreseen", help="The weather is what was forecast; otherwise what was measured.")
    ] = False,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """How right forecasts would have been: what was learned before a day, judged from that day on.

    With what is known beside the counts, the same forecasters are judged without it, too, and once more in those hours
    alone for which something was planned.
    """
    from anlan.crowd.forecast import (
        Blend,
        Known,
        Persistence,
        Ratio,
        SeasonalNaive,
        backtest,
        boosting_installed,
    )
    from anlan.kernel.clock import parse_moment

    series = series_from(file, zone, country)
    known = Known(
        planned=planned_from(planned, series.subjects) if planned else (),
        weather=weather_from(weather, foreseen=foreseen) if weather else None,
    )
    day = parse_moment(judged_from + "T00:00:00Z" if "T" not in judged_from else judged_from, "from")
    minutes = ahead or [60]
    step_min = series.step.total_seconds() / 60
    wrong = [one for one in minutes if one <= 0 or one % step_min]
    if wrong:
        raise BadInput(f"ahead={wrong[0]}", f"must be a multiple of the file's {step_min:.0f} minutes", "correct it")
    steps = [int(one // step_min) for one in minutes]
    ours = [Blend(tuple(steps))] if boosting_installed() else []
    split, with_known = series.index_of(day), replace(series, known=known)
    apart = {"planned": with_known.added[: len(series)] > 0} if known.planned else {}
    told = [
        ("", one)
        for one in backtest((*ours, Ratio(), Persistence(), SeasonalNaive()), with_known, split, steps, apart=apart)
    ]
    if planned or weather:
        told += [("counts", one) for one in backtest((*ours, Ratio()), series, split, steps, apart=apart)]
    rows: list[dict[str, Any]] = [
        {
            "forecaster": one.forecaster,
            "sees": sees or "all",
            "hours": one.hours,
            "ahead_min": one.ahead.total_seconds() / 60,
            "wape": one.wape,
            "mase": one.mase,
            "coverage": one.coverage,
            "half_width": one.half_width,
            "n": one.n,
        }
        for sees, one in sorted(told, key=lambda pair: (pair[1].hours, pair[1].ahead))
    ]
    if as_json:
        say.as_json({"scores": rows})
        return
    _show(rows, zh=lang == "zh")
    if not ours:
        note = "未安装 LightGBM：pip install 'anlan[forecast]' 后会加上梯度提升" if lang == "zh" else (
            "without LightGBM; pip install 'anlan[forecast]' adds boosted trees"
        )  # fmt: skip
        say.out.print(note)


def _show(rows: list[dict[str, Any]], *, zh: bool) -> None:
    heads = ("方法", "提前>", "误差 WAPE>", "MASE>", "区间命中>", "半宽>") if zh else (
        "forecaster", "ahead>", "error (WAPE)>", "MASE>", "in the interval>", "half-width>"
    )  # fmt: skip
    apart = "有计划活动的时段" if zh else "hours for which something was planned"
    alone = "（只看计数）" if zh else " (counts alone)"
    for hours, these in itertools.groupby(rows, key=lambda row: row["hours"]):
        shown = say.table("" if hours == "all" else apart, *heads)
        for row in these:
            shares = [f"{row[name]:.1%}" for name in ("wape", "coverage", "half_width")]
            name = row["forecaster"] + (alone if row["sees"] == "counts" else "")
            shown.add_row(name, f"{row['ahead_min']:.0f} min", shares[0], f"{row['mase']:.3f}", *shares[1:])
        say.out.print(shown)


def series_from(file: Path, zone: str, country: str) -> Series:
    """Read a file of counts into even steps.

    Raises
    ------
    BadInput
        If it cannot be read, has no such columns, or its steps are uneven.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    from anlan.crowd.forecast import Series

    try:
        table = csv.read_csv(file)
    except (OSError, pa.ArrowInvalid) as fault:
        raise BadInput(f"{file}", f"must be a CSV file ({str(fault).splitlines()[0]})", "correct it") from None
    if "time" not in table.column_names:
        raise BadInput(f"columns {', '.join(table.column_names[:5])}", "must have one called time", "rename it")
    moments = [moment(one) for one in table["time"].to_pylist()]
    names, cells = _counters(table)
    if not moments or not names:
        raise BadInput(f"{file}", "must have moments and counters", "see docs/how-it-works.md")
    begin_at, step = min(moments), _step(moments)
    counts = np.full(((max(moments) - begin_at) // step + 1, len(names)), np.nan)
    for at, row in zip(moments, cells, strict=True):
        for column, value in row:
            counts[(at - begin_at) // step, column] = np.nan if value is None else value
    try:
        told = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"zone={zone!r}", "must be a time zone such as Asia/Shanghai", "correct it") from None
    return Series(
        subjects=tuple(names), begin_at=begin_at, step=step, counts=counts, zone=told,
        calendar=_calendar(country, begin_at.year, max(moments).year),
    )  # fmt: skip


def _counters(table: Any) -> tuple[list[str], list[list[tuple[int, Any]]]]:
    """Return the counters of a file, and for each of its rows which of them it tells, and what."""
    names = [one for one in table.column_names if one not in {"time", "count"}]
    if table.num_columns == 3 and "count" in table.column_names:
        whose = [str(one) for one in table[names[0]].to_pylist()]
        column = {name: k for k, name in enumerate(dict.fromkeys(whose))}
        return list(column), [[(column[a], b)] for a, b in zip(whose, table["count"].to_pylist(), strict=True)]
    names = [one for one in table.column_names if one != "time"]
    return names, [list(enumerate(row)) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]


def _step(moments: list[datetime]) -> timedelta:
    """Return the even step of a file, whatever moments are missing from it."""
    every = sorted(set(moments))
    gaps = sorted(b - a for a, b in itertools.pairwise(every))
    step = gaps[len(gaps) // 10] if gaps else timedelta(hours=1)
    uneven = next((one for one in every if (one - every[0]) % step), None)
    if uneven is not None:
        raise BadInput(f"time={uneven.isoformat()}", f"must lie on even steps of {step}", "make the steps even")
    return step


def _calendar(country: str, first: int, last: int) -> Calendar:
    from anlan.kernel.records import Calendar

    if not country:
        return Calendar()
    try:
        import holidays
    except ImportError:
        raise Unavailable(
            f"country={country!r}", "needs the calendar of public holidays", "install it: pip install 'anlan[forecast]'"
        ) from None
    name, _, part = country.partition("-")
    try:
        found = holidays.country_holidays(name, subdiv=part or None, years=range(first, last + 2))
    except NotImplementedError as fault:
        raise BadInput(f"country={country!r}", f"must be known ({fault})", "write it like NZ or AU-VIC") from None
    return Calendar(rest_days={on: {"en": what} for on, what in found.items()})
