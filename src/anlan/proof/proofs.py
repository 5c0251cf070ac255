"""The proof of the intervals of a running district: made at night by a program beside, kept, and told by the minute."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import methodcaller
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from anlan.crowd.conformal import proof_of
from anlan.errand import Errand, Json, Lane
from anlan.kernel.clock import Clock, minute_of
from anlan.kernel.errors import AnlanError, BadInput, Conflict, Unavailable
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind
from anlan.store import DuckHistory

log = logging.getLogger(__name__)

MODULE = "anlan.proof.worker"
FORM = 1
DAY = timedelta(days=1)
NIGHT = range(1, 5)
"""Local hours in which yesterday is proved."""
STATE_AT = time(4)
"""Local time from which a day is estimated again: few are about, and what views tell is soon forgotten."""
KEEPS = 42 * DAY
"""Days older than this weigh a twentieth, and are let go."""
STATES, FACTORS = 3, 14
"""How many states and factors are kept: a minute made again after a restart is hours old, not days."""
SETTLES = timedelta(hours=3)
"""What views had told before the state of a day is forgotten to a seventh after so long, and no sooner is it judged."""
SOON = timedelta(minutes=2)
"""A factor applies from so long after it was found: no minute that far ahead has been made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedView:
    """What one view counted on a day against estimates without it.

    ``factors`` as :func:`anlan.crowd.conformal.factors_that_hold` has them, in so many ``hours``; ``counted`` people in
    all, and by how many the estimate was ``off``, added up.
    """

    factors: tuple[float, ...]
    hours: int
    counted: float
    off: float

    def held(self, factor: float) -> float:
        """Return which part of its counts the 90 % interval holds with a factor."""
        return float(np.mean(np.array(self.factors) <= factor))

    @property
    def error(self) -> float | None:
        """By how much the estimate was off, as a part of those counted; None where nobody was."""
        return self.off / self.counted if self.counted > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedDay:
    """A day that was proved: when, whether it was estimated from nothing, and the factor before and after it."""

    on: date
    proved_at: datetime
    afresh: bool
    before: float
    after: float
    views: Mapping[str, ProvedView]

    @property
    def n_counts(self) -> int:
        """How many counts were held against the estimate."""
        return sum(len(one.factors) for one in self.views.values())

    @property
    def hours(self) -> int:
        """Hours of devices: an error lasts for about one, so no more counts than these are independent."""
        return sum(one.hours for one in self.views.values())

    def held(self, factor: float) -> float:
        """Return which part of all counts the 90 % interval holds with a factor."""
        return sum(one.held(factor) * len(one.factors) for one in self.views.values()) / self.n_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A factor, from when on it applies, and what it rests on (see :class:`anlan.crowd.conformal.Proof`)."""

    from_at: datetime
    factor: float
    raw: float | None
    hours: float
    n_devices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofNow:
    """The factor in force, the days behind it, oldest first, and how far the one is that is being proved."""

    proven: Proven | None
    days: tuple[ProvedDay, ...]
    proving: date | None = None
    share: float = 0.0
    fault: str | None = None


class Proofs:
    """Proves the intervals of a district. Any thread may ask.

    A minute is told the factor that had been found before it, so that one made again is told the same.
    """

    def __init__(
        self, pack: Pack, history: DuckHistory, folder: Path, clock: Clock, withdrawn: Callable[[], frozenset[str]]
    ) -> None:
        self._pack, self._history, self._clock, self._withdrawn = pack, history, clock, withdrawn
        self._zone = ZoneInfo(pack.time_zone)
        self._folder, self._cells = folder / "proof", folder / "cells.npz"
        self._sees = any(one.kind is DeviceKind.AREA for one in pack.devices)
        self._lock = threading.Lock()
        self._proving: date | None = None
        self._tried: date | None = None
        self._fault: str | None = None
        self._lane = Lane()
        self.settles = SETTLES
        self._days, self._proven = self._read()

    # -- telling ---------------------------------------------------------------------------------------------------

    def factor_at(self, at: datetime) -> float:
        """Return the factor on the spread of the minute that ends then; one where nothing was proven before it."""
        return next((one.factor for one in reversed(self._proven) if one.from_at <= at), 1.0)

    def now(self) -> ProofNow:
        """Return what is proven, and what is being proved."""
        with self._lock:
            self._settle()
            at, errand = self._clock.now(), self._lane.errand
            return ProofNow(
                proven=next((one for one in reversed(self._proven) if one.from_at <= at + SOON), None),
                days=self._days,
                proving=self._proving,
                share=0.0 if errand is None else errand.share,
                fault=self._fault,
            )

    # -- proving ---------------------------------------------------------------------------------------------------

    def keep_state(self, at: datetime, body: bytes) -> None:
        """Keep the first state after four in the morning, from which that day can be estimated again."""
        local = at.astimezone(self._zone)
        path = self._state_of(local.date())
        if not self._sees or local.hour != STATE_AT.hour or path.exists():
            return
        try:
            _write(path, body)
            for old in sorted(self._folder.glob("state-*.npz"))[:-STATES]:
                old.unlink()
        except OSError as fault:
            log.warning("the day will be proved afresh, for its state could not be kept: %s", fault)

    def forget(self) -> None:
        """Let go of states, where the district begins another day; what was proven stays."""
        for path in self._folder.glob("state-*.npz"):
            path.unlink(missing_ok=True)

    def tend(self, now: datetime) -> None:
        """Begin to prove yesterday where it is night and it was not tried yet. It goes on beside; nobody waits."""
        local = now.astimezone(self._zone)
        yesterday = local.date() - DAY
        with self._lock:
            self._settle()
            done = self._tried == yesterday or any(one.on == yesterday for one in self._days)
            able = self._sees and self._pack.folder is not None and not self._lane.closed and self._proving is None
            if able and not done and local.hour in NIGHT:
                self._tried = yesterday
                self._start(yesterday)

    def begin(self, on: date | None = None) -> date:
        """Begin to prove a day, yesterday where None; return which.

        Raises
        ------
        Conflict
            If one is being proved.
        BadInput
            If it is not over, its counts are not kept any more, the district has no views, or its pack is in no folder,
            from which another program could read it.
        """
        yesterday = self._clock.now().astimezone(self._zone).date() - DAY
        day = yesterday if on is None else on
        n_days = self._history.retention.observations // DAY
        if not yesterday - n_days * DAY < day <= yesterday:
            raise BadInput(f"on={day}", f"must be over, and within the last {n_days} days", "choose another day")
        if not self._sees:
            raise BadInput("the district", "must have area cameras to withhold", "add one to the pack")
        if self._pack.folder is None:
            raise BadInput(f"pack {self._pack.pack_id!r}", "must be a folder to prove with", "write it with write_pack")
        with self._lock:
            self._settle()
            if self._proving is not None:
                raise Conflict("a day", "is being proved already", "wait for it")
            self._start(day)
        return day

    def wait(self, seconds: float) -> None:
        """Wait until what is being proved is proved."""
        self._lane.wait(seconds)

    def close(self) -> None:
        """Stop what is being proved."""
        self._lane.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Let go of an errand that is over."""
        errand = self._lane.errand
        if errand is not None and errand.is_over:
            self._fault = None if errand.fault is None else str(errand.fault)
            if self._fault is not None:
                log.warning("%s was not proved: %s", self._proving, self._fault)
            self._proving, self._lane.errand = None, None

    def _start(self, day: date) -> None:
        self._proving, self._fault = day, None
        self._lane.begin("proof", lambda: self._ask(day))

    def _ask(self, day: date) -> Errand | None:
        """Hand over the day's counts, and ask the program beside."""
        begin_at, end_at = (datetime.combine(on, time(), self._zone).astimezone(UTC) for on in (day, day + DAY))
        counts, state = self._folder / "counts.parquet", self._state_of(day)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            n = self._history.hand_over(begin_at, end_at, counts)
        except (AnlanError, OSError) as fault:
            self._give_up(str(fault))
            return None
        if not n or self._lane.closed:
            self._give_up(f"nothing was counted on {day}")
            return None
        asked = {
            "pack": str(self._pack.folder), "cells": str(self._cells), "observations": str(counts),
            "state": str(state) if state.exists() else None, "settles_s": self.settles.total_seconds(),
            "begin_at": begin_at.isoformat(), "end_at": end_at.isoformat(), "withdrawn": sorted(self._withdrawn()),
        }  # fmt: skip
        return Errand(MODULE, asked, lambda told: self._keep(day, told))

    def _give_up(self, why: str) -> None:
        log.info("no day was proved: %s", why)
        with self._lock:
            self._proving, self._fault = None, why

    def _keep(self, day: date, told: Json) -> None:
        """Take up what was found: the factor, from the next minutes on."""
        now = self._clock.now()
        with self._lock:
            today = now.astimezone(self._zone).date()
            views = {
                name: ProvedView(**one | {"factors": tuple(one["factors"])}) for name, one in told["views"].items()
            }
            others = [one for one in self._days if one.on != day and timedelta() < today - one.on <= KEEPS]
            scores = [(one.on, one.views) for one in others] + [(day, views)]
            found = proof_of([((today - on) / DAY, {k: v.factors for k, v in of.items()}) for on, of in scores])
            proven = Proven(from_at=minute_of(now) + SOON, **asdict(found))
            made = ProvedDay(
                on=day,
                proved_at=now,
                afresh=told["afresh"],
                before=self.factor_at(now),
                after=found.factor,
                views=views,
            )
            days = tuple(sorted([*others, made], key=lambda one: one.on))
            kept = (*(one for one in self._proven if one.from_at < proven.from_at), proven)[-FACTORS:]
            self._write_down(days, kept)  # before anybody is told of it: a minute made again must find it
            self._days, self._proven = days, kept
        (self._folder / "counts.parquet").unlink(missing_ok=True)

    def _state_of(self, day: date) -> Path:
        return self._folder / f"state-{day.isoformat()}.npz"

    def _write_down(self, days: tuple[ProvedDay, ...], proven: tuple[Proven, ...]) -> None:
        body = {"form": FORM, "proven": [asdict(one) for one in proven], "days": [asdict(one) for one in days]}
        try:
            _write(self._folder / "proof.json", json.dumps(body, default=methodcaller("isoformat")).encode())
        except OSError as fault:
            raise Unavailable(
                f"folder {self._folder}", f"must be writable ({fault.strerror})", "free some space; it is tried again"
            ) from fault

    def _read(self) -> tuple[tuple[ProvedDay, ...], tuple[Proven, ...]]:
        """Return what was proven; what cannot be read is left, and is proved anew."""
        path = self._folder / "proof.json"
        if not path.is_file():
            return (), ()
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["form"] == FORM:
                return tuple(map(_day, kept["days"])), tuple(map(_proven, kept["proven"]))
            log.warning("the proof in %s is left: it is of form %s", path, kept["form"])
        except (OSError, ValueError, KeyError, TypeError) as fault:
            log.warning("the proof in %s is left: %s", path, fault)
        return (), ()


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_bytes(body)
    beside.replace(path)


def _proven(row: dict[str, Any]) -> Proven:
    return Proven(**row | {"from_at": datetime.fromisoformat(row["from_at"])})


def _day(row: dict[str, Any]) -> ProvedDay:
    moments = {"on": date.fromisoformat(row["on"]), "proved_at": datetime.fromisoformat(row["proved_at"])}
    return ProvedDay(**row | moments | {"views": _views(row["views"])})


def _views(rows: Mapping[str, Any]) -> dict[str, ProvedView]:
    return {name: ProvedView(**one | {"factors": tuple(one["factors"])}) for name, one in rows.items()}
