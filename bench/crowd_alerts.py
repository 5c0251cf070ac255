"""Alerts: dangerous densities announced ahead, how many announcements are false, none repeated, and how fast.

Protocol. The simulated district plays a day, in a centre that has counted and surveyed a day before (see
:mod:`learned`); the estimator sees what its devices send, the judge sees the estimates and what gates and passages
counted, and nothing else. The *truth* are the people whom the simulation has in the polygon
of each place.

*Dangerous* is what the place's own ladder calls so, applied to the truth: a rung of yellow or above, by density or by
share of capacity (rules with a second condition are left out: no truth of it is kept). A breach of a rung begins when
the truth has been above its limit for three minutes, dated to the first of them, and ends when it has been below nine
tenths of it for ten. The first half hour of a day is not judged, for the estimate has to find its feet; breaches that
begin in the forty minutes after the start are left out too, since nobody could have been told ahead.

A breach counts as *announced* when, ten minutes before it begins, an alert on that place stands at its rung or above.
It is also told how many were announced at the latest when they began, and by how much they came ahead.

An *announcement* is every raise or escalation to a rung of yellow or above, once for each rung that it passes. It is
*false* where no breach of that rung stands then or begins within the half hour after; it is told, too, how many
were in vain, with none within the hour. It is a *repeat* where the same
rung of the same place was announced before and the breach of it, or its announcement, has not ended since.

A second look shows what is the judge's part: the same judge on estimates that are off by 5 % (lognormal, forgotten in
an hour, told as that standard deviation), as a well-counted place's are. Beside it
stands the same judge told how each place will truly go on (its true people ahead over those now), which leaves it the
present alone to be wrong about. The peer is a threshold on the present
estimate, without trend, probability or hysteresis, which is what most systems have.

*Message in to alert out*: the shipped district is served over HTTP with its live feed open; the observations of a minute
are posted when the minute is due (ten seconds after its end, when whoever is late would be late), and the time is taken
until the line of the alert arrives at a screen. Each round lets a stream through a passage that was calm.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import numpy.typing as npt
import uvicorn

from anlan.command import create_app
from anlan.crowd import AlertState, Counter, Judge, Outlook
from anlan.district import District
from anlan.kernel.alerts import AlertAction, AlertKind
from anlan.kernel.clock import FollowedClock
from anlan.kernel.ladders import Measure, Rung, ladders_of_place
from anlan.kernel.pack import Pack
from anlan.kernel.records import Estimate, Observation
from anlan.pack import find_pack, read_pack
from beside import beside
from learned import FROM, learned
from row import Row

Floats = npt.NDArray[np.float64]
AHEAD_MIN, SOON_MIN, HOUR_MIN, WARM_MIN, FIRST_MIN = 10, 30, 60, 30, 40
AHEADS_MIN = (5, 10, 15, 20)
DAYS = (("new_years_eve", 202, 17, 8.0), ("lantern_festival", 203, 16, 6.0), ("normal_day", 201, 7, 4.0))
QUICK = (("new_years_eve", 202, 18, 5.0),)
"""Which day, its seed, from which local hour it is judged, and for how long: three whose people are judged, too."""
RUNGS = (Rung.YELLOW, Rung.ORANGE, Rung.RED)


@dataclass(frozen=True)
class Breach:
    """A place above a rung of its ladder, in truth: minutes of the day, the last one left out."""

    place_id: str
    rung: Rung
    begin: int
    end: int


@dataclass(frozen=True)
class Told:
    """A place announced at a rung: from when to when."""

    place_id: str
    rung: Rung
    begin: int
    end: int


@dataclass(frozen=True)
class Day:
    """What was true and what was announced on one day."""

    breaches: tuple[Breach, ...]
    told: tuple[Told, ...]
    n_minutes: int

    def standing(self, breach: Breach, minute: int) -> bool:
        """Whether the place stands announced at the rung, or above it, at a minute."""
        return any(
            t.place_id == breach.place_id and t.rung >= breach.rung and t.begin <= minute < t.end for t in self.told
        )

    def lead_min(self, breach: Breach) -> int | None:
        """How long before the breach began its announcement stood without a break; None where it did not."""
        lead = None
        for minute in range(breach.begin, -1, -1):
            if not self.standing(breach, minute):
                break
            lead = breach.begin - minute
        return lead

    def false(self, told: Told, within_min: int = SOON_MIN) -> bool:
        """Whether no breach of that rung stands at the announcement or begins within so many minutes."""
        return not any(
            b.place_id == told.place_id
            and b.rung >= told.rung
            and b.begin <= told.begin + within_min
            and told.begin < b.end
            for b in self.breaches
        )

    def repeat(self, told: Told) -> bool:
        """Whether the same rung was announced before in the same breach."""
        return any(
            b.place_id == told.place_id and b.rung == told.rung and b.begin - SOON_MIN <= told.begin < b.end
            and any(
                t.place_id == told.place_id and t.rung == told.rung and b.begin - SOON_MIN <= t.begin < told.begin
                for t in self.told
            )
            for b in self.breaches
        )  # fmt: skip


def breaches_of(pack: Pack, truth: Floats, walkable_m2: Sequence[float]) -> tuple[Breach, ...]:
    """Return the breaches in the true people by minute and place, shape (minutes, places)."""
    found = []
    for k, place in enumerate(pack.places):
        for rung in RUNGS:
            limits = [
                limit * (walkable_m2[k] if ladder.measure is Measure.DENSITY else (place.capacity or np.inf))
                for ladder in ladders_of_place(pack.ladders, place)
                if ladder.also is None and ladder.measure in {Measure.DENSITY, Measure.SHARE}
                and (limit := ladder.limit(rung)) is not None
            ]  # fmt: skip
            if limits and walkable_m2[k] >= 400:
                spells = spells_above(truth[:, k], min(limits))
                found += [Breach(place.place_id, rung, *spell) for spell in spells]
    return tuple(found)


def spells_above(people: Floats, limit: float) -> list[tuple[int, int]]:
    """Return begin and end of every spell: above the limit for three minutes, until ten below nine tenths of it."""
    spells: list[tuple[int, int]] = []
    begin, below = None, 0
    for minute in range(len(people)):
        if begin is None:
            if minute >= 2 and people[minute - 2 : minute + 1].min() > limit:
                begin, below = minute - 2, 0
        else:
            below = below + 1 if people[minute] < 0.9 * limit else 0
            if below >= 10:
                spells.append((begin, minute))
                begin = None
    return [*spells, (begin, len(people))] if begin is not None else spells


def judged(
    judge: Judge,
    minutes: Sequence[tuple[datetime, Mapping[str, Estimate], Sequence[Observation]]],
    looks: Sequence[Mapping[str, Sequence[Outlook]]] | None = None,
) -> tuple[Told, ...]:
    """Return what a judge announces of places over a day, by rung."""
    state, found = AlertState(), list[Told]()
    standing: dict[tuple[str, Rung], int] = {}
    for k, (at, estimates, observations) in enumerate(minutes):
        state, news = judge.judge(state, estimates, at, observations, looks[k] if looks else None)
        for one in news:
            if one.alert.kind is not AlertKind.CROWD:
                continue
            place_id = one.alert.subject_id.removeprefix("place:")
            top = Rung.CALM if one.action is AlertAction.END else one.alert.rung
            for rung in RUNGS:
                key = (place_id, rung)
                if rung <= top:
                    standing.setdefault(key, k)
                elif key in standing:
                    found.append(Told(place_id, rung, standing.pop(key), k))
    return (*found, *(Told(*key, begin, len(minutes)) for key, begin in standing.items()))


def by_threshold(
    pack: Pack, minutes: Sequence[tuple[datetime, Mapping[str, Estimate], Sequence[Observation]]]
) -> tuple[Told, ...]:
    """Return what a plain threshold on the estimate announces: no look ahead, no hysteresis."""
    found: list[Told] = []
    standing: dict[tuple[str, Rung], int] = {}
    for k, (_, estimates, _) in enumerate(minutes):
        for place in pack.places:
            estimate = estimates[f"place:{place.place_id}"]
            for rung in RUNGS:
                limits = [
                    limit * (estimate.walkable_m2 if ladder.measure is Measure.DENSITY else (place.capacity or np.inf))
                    for ladder in ladders_of_place(pack.ladders, place)
                    if ladder.also is None and (limit := ladder.limit(rung)) is not None
                ]
                key = (place.place_id, rung)
                if limits and (estimate.occupancy or 0.0) > min(limits):
                    standing.setdefault(key, k)
                elif key in standing:
                    found.append(Told(*key, standing.pop(key), k))
    return (*found, *(Told(*key, begin, len(minutes)) for key, begin in standing.items()))


@dataclass(frozen=True)
class Tally:
    """Counts over days, to be added."""

    n_breaches: int = 0
    n_ahead: int = 0
    n_in_time: int = 0
    n_told: int = 0
    n_false: int = 0
    n_in_vain: int = 0
    n_repeats: int = 0
    leads_min: tuple[int, ...] = ()

    def plus(self, day: Day) -> Tally:
        """Return the counts with another day's."""
        breaches = [b for b in day.breaches if b.begin >= FIRST_MIN]
        leads = [day.lead_min(b) for b in breaches]
        told = [t for t in day.told if t.begin >= WARM_MIN]
        return Tally(
            self.n_breaches + len(breaches),
            self.n_ahead + sum(lead is not None and lead >= AHEAD_MIN for lead in leads),
            self.n_in_time + sum(lead is not None for lead in leads),
            self.n_told + len(told),
            self.n_false + sum(day.false(t) for t in told),
            self.n_in_vain + sum(day.false(t, HOUR_MIN) for t in told),
            self.n_repeats + sum(day.repeat(t) for t in told),
            (*self.leads_min, *(lead for lead in leads if lead is not None)),
        )

    @property
    def ahead(self) -> float:
        """Share of the breaches that were announced ten minutes ahead, per cent."""
        return 100 * self.n_ahead / max(self.n_breaches, 1)

    @property
    def false(self) -> float:
        """Share of the announcements that were false, per cent."""
        return 100 * self.n_false / max(self.n_told, 1)

    def told(self) -> str:
        """Return the counts in words."""
        lead = f"{np.median(self.leads_min):.0f} min" if self.leads_min else "none"
        return (
            f"{self.n_ahead} of {self.n_breaches} ahead, {self.n_in_time} by the time, median lead {lead}; "
            f"{self.n_false} of {self.n_told} false, {self.n_in_vain} of them not within the hour, {self.n_repeats} repeats"
        )


def day(
    plain: Pack, scenario_id: str, seed: int, hour: int, hours: float, say: Callable[[str], None]
) -> tuple[Day, Day, Day, Day]:
    """Simulate a day, judged from a local hour on for so many hours; return what was told.

    On the estimate, on one 5 % off, by a plain threshold, and on that 5 % with the true course known.
    """
    polygons = [place.polygon for place in plain.places]
    known = learned(plain, scenario_id, seed, hour + hours - FROM.hour, polygons)
    pack, estimator, state = known.pack, known.estimator, known.state
    counter = Counter(pack, known.cells)
    parts = [counter.shares(polygon) for polygon in polygons]
    walkable = [counter.walkable_m2(part) for part in parts]
    judged_at, minutes, truth = known.begin_at.replace(hour=hour), [], []
    for minute in known.minutes:
        ripe = [seen for seen in minute.observations if seen.end_at <= minute.at]
        state = estimator.advance(state, ripe, minute.at)
        if minute.at <= judged_at:
            continue
        made = counter.many(estimator.field(state), parts, minute.at)
        named = {f"place:{place.place_id}": one for place, one in zip(pack.places, made, strict=True)}
        minutes.append((minute.at, named, [seen for seen in ripe if seen.counts is None]))
        truth.append(minute.truth)
    people = np.array(truth)
    breaches = breaches_of(pack, people, walkable)
    steady = nearly(pack, people, minutes, walkable, seed)
    told = [
        judged(Judge(pack), minutes), judged(Judge(pack), steady), by_threshold(pack, minutes),
        judged(Judge(pack), steady, foreseen(pack, people, steady)),
    ]  # fmt: skip
    a, b, c, d = (Day(breaches, one, len(minutes)) for one in told)
    say(f"{scenario_id} seed {seed}: {Tally().plus(a).told()}")
    return a, b, c, d


def nearly(
    pack: Pack,
    people: Floats,
    minutes: Sequence[tuple[datetime, Mapping[str, Estimate], Sequence[Observation]]],
    walkable_m2: Sequence[float],
    seed: int,
) -> list[tuple[datetime, Mapping[str, Estimate], Sequence[Observation]]]:
    """Return the minutes with estimates that are the truth, off by 5 %."""
    rng, sd, keep = np.random.default_rng((seed, 5)), 0.05, float(np.exp(-1 / 60))
    error = rng.normal(0, sd, len(pack.places))
    found = []
    for row, (at, _, seen) in zip(people, minutes, strict=True):
        error = keep * error + rng.normal(0, sd * np.sqrt(1 - keep**2), len(error))
        named = {}
        for k, place in enumerate(pack.places):
            mean, hidden = float(row[k] * np.exp(error[k])), row[k] < 10
            named[f"place:{place.place_id}"] = Estimate(
                at=at, walkable_m2=walkable_m2[k], occupancy=None if hidden else mean, sd=sd * mean, hidden=bool(hidden)
            )
        found.append((at, named, seen))
    return found


def foreseen(
    pack: Pack, people: Floats, minutes: Sequence[tuple[datetime, Mapping[str, Estimate], Sequence[Observation]]]
) -> list[dict[str, list[Outlook]]]:
    """Return for each minute what one expects who knows how it will go on, and the present by the estimate alone."""
    found = []
    for t, (_, named, _) in enumerate(minutes):
        looks: dict[str, list[Outlook]] = {}
        for k, place in enumerate(pack.places):
            now = named[f"place:{place.place_id}"]
            if now.occupancy is None or now.sd is None:
                continue
            grown = [people[min(t + ahead, len(people) - 1), k] / max(people[t, k], 1.0) for ahead in AHEADS_MIN]
            looks[f"place:{place.place_id}"] = [
                Outlook(ahead_s=60.0 * ahead, occupancy=now.occupancy * g, sd=now.sd * g)
                for ahead, g in zip(AHEADS_MIN, grown, strict=True)
            ]
        found.append(looks)
    return found


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Announcements of whole days against the truth, then the way from a message to a screen."""
    ours, steady, plain, seer = Tally(), Tally(), Tally(), Tally()
    plain_pack = read_pack(find_pack("huangpu"))
    days = beside(day, [(plain_pack, *one) for one in (QUICK if quick else DAYS)], say)
    for told, told_steady, told_plain, told_seer in days:
        ours, steady, plain = ours.plus(told), steady.plus(told_steady), plain.plus(told_plain)
        seer = seer.plus(told_seer)
    yield Row(
        id="2.10a", what="dangerous densities announced 10 min ahead", value=ours.ahead, unit="%", goal=">= 90",
        ok=ours.ahead >= 90, peer=f"plain threshold {plain.ahead:.0f} % ({plain.told()})",
    )  # fmt: skip
    yield Row(
        id="2.10b", what=f"false announcements ({ours.told()})", value=ours.false, unit="%", goal="<= 15",
        ok=ours.false <= 15, peer=f"plain threshold {plain.false:.0f} %",
    )  # fmt: skip
    yield Row(
        id="2.10c", what="repeats in one breach", value=float(ours.n_repeats), unit="", goal="0",
        ok=ours.n_repeats == 0, peer=f"plain threshold {plain.n_repeats}",
    )  # fmt: skip
    yield Row(
        id="2.10d", what="the judge alone, on estimates 5 % off: ahead", value=steady.ahead, unit="%",
        peer=f"with the true course known {seer.ahead:.0f} %",
    )  # fmt: skip
    yield Row(
        id="2.10e", what=f"the same: false ({steady.told()})", value=steady.false, unit="%",
        peer=f"with the true course known {seer.false:.0f} % ({seer.told()})",
    )  # fmt: skip
    took = latencies_s(10 if quick else 100)
    p99 = float(np.percentile(took, 99))
    yield Row(
        id="2.10f", what=f"message in to alert out over HTTP, p99 of {len(took)} (median "
        f"{np.median(took):.2f} s)", value=p99, unit="s", goal="<= 2", ok=p99 <= 2,
    )  # fmt: skip


def latencies_s(n: int) -> list[float]:
    """Return the seconds from posting the last count of a minute to its alert on a screen, over HTTP, n times."""
    clock = FollowedClock(datetime(2026, 12, 31, 10, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as folder:
        district = District.open("huangpu", folder, clock=clock)
        server = uvicorn.Server(uvicorn.Config(create_app(district), log_level="error", ws="none"))
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        serving.start()
        while not server.started:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
        try:
            with (
                httpx.Client(base_url=url, timeout=30) as asking,
                httpx.stream("GET", f"{url}/live", timeout=30) as live,
            ):
                heard = live.iter_lines()
                return [one_round(asking, heard, district, clock) for _ in range(n)]
        finally:
            server.should_exit = True
            serving.join(10)
            district.close()
            listening.close()


def one_round(asking: httpx.Client, heard: Iterator[str], district: District, clock: FollowedClock) -> float:
    """Let a passage be calm for nine minutes, then a stream go through it, and wait for the alert on the feed."""
    begin = time.perf_counter()
    for minute in range(10):
        begin_at = clock.now().replace(second=0)
        at = begin_at + timedelta(minutes=1)
        sent = {
            "device": "passage-20", "begin_at": begin_at.isoformat(), "end_at": at.isoformat(),
            "sequence": int(at.timestamp()) // 60, "values": {"in": 50_000 if minute == 9 else 0, "out": 0},
        }  # fmt: skip
        clock.set(at + timedelta(seconds=10))
        begin = time.perf_counter()
        asking.post("/observations", json=sent).raise_for_status()
        district.advance()
    for line in heard:
        if line.startswith("data:") and '"kind":"alert"' in line and json.loads(line[5:])["action"] == "raise":
            return time.perf_counter() - begin
    return float("inf")
