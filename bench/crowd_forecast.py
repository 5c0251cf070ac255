"""Forecasts on years of real counts: Auckland and Melbourne, an hour ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import holidays
import pandas as pd

from anlan.crowd.forecast import Blend, Persistence, Ratio, SeasonalNaive, Series, backtest, boosting_installed
from anlan.kernel.records import Calendar
from ground import DATA
from row import Row

WAPE, MASE = 0.113, 0.56


def auckland() -> tuple[Series, int]:
    """21 counters from 2022 on; judged in 2025."""
    table = pd.read_csv(DATA / "auckland_pedestrians" / "hourly_counts.csv.gz")
    hour = table["hour"].str.extract(r"^(\d+)")[0].astype(int)
    table.index = pd.to_datetime(table["date"]) + pd.to_timedelta(hour, "h")
    table = table[~table.index.duplicated()].sort_index().drop(columns=["date", "hour", "year"])
    return series_of(table.loc["2021-07-01":], ("NZ", "AUK"), "2025-01-01")


def melbourne() -> tuple[Series, int]:
    """The counters of 2012 and 2013; judged in 2013."""
    long = pd.read_csv(DATA / "melbourne_pedestrians" / "hourly_counts.csv.gz", parse_dates=["time"])
    table = long.pivot_table(index="time", columns="sensor_id", values="count", aggfunc="first")
    known = table.loc[:"2012-12-31"].notna().mean() > 0.25  # what began to count later has no history to learn from
    return series_of(table.loc[:, known], ("AU", "VIC"), "2013-01-01")


def series_of(table: pd.DataFrame, country: tuple[str, str], judged_from: str) -> tuple[Series, int]:
    """Return hours on the wall clock as even steps: a zone without summer time keeps them as the files have them."""
    table = table.asfreq("h").astype(float)
    years = range(table.index[0].year, table.index[-1].year + 2)
    rest = holidays.country_holidays(country[0], subdiv=country[1], years=years)
    series = Series(
        subjects=tuple(map(str, table.columns)),
        begin_at=table.index[0].to_pydatetime().replace(tzinfo=UTC),
        step=timedelta(hours=1),
        counts=table.to_numpy(),
        zone=ZoneInfo("UTC"),
        calendar=Calendar(rest_days={on: {"en": name} for on, name in rest.items()}),
    )
    return series, int(table.index.get_indexer([pd.Timestamp(judged_from)])[0])


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Row 2.9: one hour ahead."""
    for letter, name, read in (
        ("a", "Auckland 2025 after 2022-24", auckland),
        ("b", "Melbourne 2013 after 2012", melbourne),
    ):
        if not DATA.is_dir() or not boosting_installed():
            why = "LightGBM is not installed" if DATA.is_dir() else f"no data in {DATA.name}"
            yield Row(id=f"2.9{letter}", what=f"{name}: not measured, {why}", value=None, unit="%")
            continue
        begin = time.perf_counter()
        series, n_history = read()
        ours = Blend(n_forests=1 if quick else 3)
        scores = backtest((ours, Ratio(), Persistence(), SeasonalNaive()), series, n_history, (1,))
        say(f"{name}: {time.perf_counter() - begin:.0f} s")
        best, *others = scores
        peer = "; ".join(f"{one.forecaster} {100 * one.wape:.1f} %, MASE {one.mase:.3f}" for one in others)
        naive = min(one.wape for one in others[1:])
        bound = letter == "a"
        yield Row(
            id=f"2.9{letter}", what=f"{name}, an hour ahead: error (WAPE)", value=100 * best.wape, unit="%",
            goal="<= 11.3" if bound else None, ok=best.wape <= WAPE if bound else None, peer=peer,
        )  # fmt: skip
        yield Row(
            id=f"2.9{letter}m", what=f"{name}: MASE", value=best.mase, unit="",
            goal="<= 0.56" if bound else None, ok=best.mase <= MASE if bound else None,
        )  # fmt: skip
        yield Row(
            id=f"2.9{letter}n", what=f"{name}: better than the better of both naive ways by", value=100 * (1 - best.wape / naive),
            unit="%", goal=">= 40", ok=best.wape <= 0.6 * naive,
        )  # fmt: skip
        yield Row(
            id=f"2.9{letter}c", what=f"{name}: 90 % interval holds the truth (half-width {100 * best.half_width:.0f} %)",
            value=100 * best.coverage, unit="%", goal="88-92", ok=0.88 <= best.coverage <= 0.92,
        )  # fmt: skip
