"""What is known beside the counts, and whether it helps: Melbourne's two planned nights of 2013, and its holidays.

Protocol. The forecasters of rows 2.9, on the same counts, judged in 2013. *Planned* are the White Night of 23 February
(19:00 to 7:00, from 1:00 on thinning out) and New Year's Eve (20:00 to 0:30, gone by 4:30). How many come is what a planner
would say who has the year before: at each counter as many more than usual as on New Year's Eve 2012 from 20:00 to
midnight, on average. Nothing of the nights that are judged is in it. A counter that was silent on that night is told nothing.
Those hours are judged apart: an hour ahead, and a day ahead, with what is planned and without, beside persistence and last
week's count. Holidays: hours of days of rest, with the calendar and without.

The counts have no weather beside them, so what weather is worth is not measured here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from anlan.crowd.forecast import (
    Blend,
    Known,
    Persistence,
    PlannedEvent,
    Ratio,
    Score,
    SeasonalNaive,
    Series,
    backtest,
    boosting_installed,
)
from anlan.kernel.records import Calendar
from crowd_forecast import melbourne
from ground import DATA
from row import Row

AHEAD = (1, 24)
Scores = dict[tuple[str, int, str], Score]


def on(text: str) -> datetime:
    """Return what a clock on the wall shows."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def planned(series: Series) -> tuple[PlannedEvent, ...]:
    """Return New Year's Eve 2012, which is over, and the two nights that a planner takes it for."""
    first, last = series.index_of(on("2012-12-31T20:00")), series.index_of(on("2013-01-01T00:00"))
    usual = np.exp(Ratio().usual(series)[first:last]) - 10
    more = (series.counts[first:last] - usual).mean(axis=0)
    added = {name: max(float(n), 0.0) for name, n in zip(series.subjects, more, strict=True) if np.isfinite(n)}
    return (
        PlannedEvent(begin_at=on("2012-12-31T20:00"), end_at=on("2013-01-01T00:30"), added=added, leave_min=240),
        PlannedEvent(begin_at=on("2013-02-23T19:00"), end_at=on("2013-02-24T01:00"), added=added, leave_min=360),
        PlannedEvent(begin_at=on("2013-12-31T20:00"), end_at=on("2014-01-01T00:30"), added=added, leave_min=240),
    )


def scores(series: Series, n_history: int, *, trees: bool, quick: bool) -> tuple[Scores, Scores, Scores]:
    """Return how right each was with everything known, with counts and calendar, and with counts alone."""
    known = replace(series, known=Known(planned=planned(series)))
    whole = len(series.subjects)
    apart = {
        "planned": known.added[: len(series)] > 0,
        "rest": np.repeat(series.rests[: len(series), None], whole, axis=1),
    }
    ours = (Ratio(), *((Blend(AHEAD, n_rounds=100 if quick else 400),) if trees else ()))

    def run(one: Series, *also: Persistence | SeasonalNaive) -> Scores:
        made = backtest((*ours, *also), one, n_history, AHEAD, apart=apart)
        return {(s.forecaster, int(s.ahead.total_seconds() // 3600), s.hours): s for s in made}

    return run(known, Persistence(), SeasonalNaive()), run(series), run(replace(series, calendar=Calendar()))


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Rows 2.9k and 2.9l: what is planned, and holidays."""
    if not DATA.is_dir():
        yield Row(id="2.9k", what=f"what is planned: not measured, no data in {DATA.name}", value=None, unit="%")
        return
    trees = boosting_installed()
    known, counted, alone = scores(*melbourne(), trees=trees, quick=quick)
    name = Blend().name if trees else Ratio().name
    for who, hours, _ in known:
        say(f"{who}, {hours} h: {known[who, hours, _].hours} {100 * known[who, hours, _].wape:.1f} %")
    for k, hours in enumerate(AHEAD):
        ours, blind, ratio = (one[who, hours, "planned"] for one, who in (
            (known, name), (counted, name), (known, Ratio().name)
        ))  # fmt: skip
        naive = "; ".join(
            f"{who} {100 * known[who, hours, 'planned'].wape:.0f} %" for who in ("persistence", "seasonal naive")
        )
        yield Row(
            id=f"2.9k{k + 1}", what=f"Melbourne, two planned nights, {hours} h ahead: error with what is planned",
            value=100 * ours.wape, unit="%", goal="< without it", ok=ours.wape < blind.wape,
            peer=f"without it {100 * blind.wape:.0f} %; ratio with it {100 * ratio.wape:.0f} %; {naive}",
        )  # fmt: skip
    for k, hours in enumerate(AHEAD):
        ours, blind = counted[name, hours, "rest"], alone[name, hours, "rest"]
        yield Row(
            id=f"2.9l{k + 1}", what=f"Melbourne, days of rest, {hours} h ahead: error with the calendar",
            value=100 * ours.wape, unit="%", goal="< without it", ok=ours.wape < blind.wape,
            peer=f"without it {100 * blind.wape:.0f} %",
        )  # fmt: skip
