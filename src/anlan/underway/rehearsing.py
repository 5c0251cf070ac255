"""Rehearsals of plans: asked for, run in a program beside over a simulated crowd, kept, and put on paper."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from anlan.cases.definition import Refers
from anlan.errand import Errand, Json, Then
from anlan.kernel.clock import Clock, parse_moment
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft, Label
from anlan.matters import Matters, Standing
from anlan.matters.documents import as_file, template_of
from anlan.matters.follow import REHEARSAL
from anlan.papers import compose
from anlan.store import Keeping, SqlStore

log = logging.getLogger(__name__)

MODULE = "anlan.rehearsal"
PAPER = "rehearsal_record"
DAYS_S = 5.0
"""So long whoever asks for the days waits for them, once."""
MOST_KEPT = 20
"""Of one case: each holds a number for every minute of every zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of a rehearsal: the day without the event, and shares of what is expected.

    ``share`` is of the visits of that day (the ordinary one where ``scenario`` is empty), ``crowd`` of those who come
    for the event; the same ``seed`` gives the same evening.
    """

    scenario: str = ""
    share: float = 1.0
    crowd: float = 1.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, value, least, most in (("share", self.share, 0.0, 3.0), ("crowd", self.crowd, 0.01, 3.0)):
            if not least <= value <= most:
                raise BadInput(f"{name}={value}", f"must be {least:g}..{most:g}", "give 1 for what is expected")
        if not 0 <= self.seed < 2**31:
            raise BadInput(f"seed={self.seed}", "must be 0..2147483647", "give another")


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """The rehearsal that is under way, or the last one that came to nothing."""

    case_id: str
    wish: Wish
    actor: str
    begun_at: datetime
    doing: str
    share: float
    fault: AnlanError | None
    stopped: bool
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A rehearsal that is kept. ``told`` is what it came to, as `anlan.rehearsal.rehearse` returns it."""

    rehearsal_id: str
    case_id: str
    made_at: datetime
    actor: str
    wish: Wish
    told: Json


class RehearsalDesk:
    """Rehearses one plan at a time. Any thread may ask."""

    def __init__(
        self, pack: Pack, folder: Path, matters: Matters, store: SqlStore, clock: Clock,
        tell: Callable[[Sequence[Change]], object],
    ) -> None:  # fmt: skip
        self._pack, self._cells, self._matters = pack, folder / "cells.npz", matters
        self._store, self._clock, self._tell = store, clock, tell
        self._lock = threading.Lock()
        self._going: tuple[Errand, str, Wish, str, datetime] | None = None
        self._asked: Errand | None = None
        self._days: list[Json] = []

    def begin(self, case_id: str, wish: Wish, who: Standing, actor: str) -> Going:
        """Begin a rehearsal of the plan of a case.

        Raises
        ------
        NotFound
            If there is no such case for them, or nothing in it that could be rehearsed.
        NotAllowed
            If they hold no role in it.
        Conflict
            If another one is under way, or the case keeps as many as it may.
        BadInput
            If the district's pack is in no folder.
        """
        seen = self._matters.read(case_id, who)
        live = seen.kind.live
        if live is None or not live.can_be_rehearsed:
            raise NotFound(f"plan of case {case_id!r}", "cannot be rehearsed: its type says not how", "see its type")
        self._matters.require_part(case_id, who)
        folder = self._pack.folder
        if folder is None:
            raise BadInput(f"pack {self._pack.pack_id!r}", "must be a folder to rehearse", "write it with write_pack")
        if len(self._kept(case_id)) >= MOST_KEPT:
            raise Conflict(f"case {case_id}", f"keeps {MOST_KEPT} rehearsals already", "drop one")
        names = {live.zones, live.triggers, live.devices, live.expected, live.begins, live.ends}
        watches = {one.record_id: one.body["polygon"] for one in self._store.records("watch")}
        asked = asdict(wish) | {
            "pack": str(folder), "cells": str(self._cells),
            "live": asdict(live) | {"states": sorted(live.states), "foreseen": sorted(live.foreseen)},
            "values": {name: value for name, value in seen.case.values.items() if name in names}, "watches": watches,
        }  # fmt: skip
        with self._lock:
            if self._going is not None and not self._going[0].is_over:
                raise Conflict("a rehearsal", "is under way already", "wait for it, or stop it")
            at = self._clock.now()
            errand = Errand(MODULE, asked, lambda told: self._keep(case_id, wish, actor, told))
            self._going = errand, case_id, wish, actor, at
        going = self.going(case_id, who)
        assert going is not None  # noqa: S101 - it has just begun
        return going

    def going(self, case_id: str, who: Standing) -> Going | None:
        """Return how far the rehearsal of a case is, or why the last one came to nothing; None where there is neither.

        That another case is rehearsed is told by :meth:`begin` only.
        """
        self._matters.read(case_id, who)
        with self._lock:
            going = self._going
        if going is None or going[1] != case_id:
            return None
        errand, _, wish, actor, at = going
        if errand.is_over and errand.fault is None and not errand.stopped:
            return None
        return Going(
            case_id=case_id, wish=wish, actor=actor, begun_at=at, doing=errand.doing, share=errand.share,
            fault=errand.fault, stopped=errand.stopped, is_over=errand.is_over,
        )  # fmt: skip

    def stop(self, case_id: str, who: Standing) -> None:
        """Stop the rehearsal of a case; NotFound where none is under way."""
        self._matters.require_part(case_id, who)
        with self._lock:
            going = self._going
        if going is None or going[1] != case_id or going[0].is_over:
            raise NotFound("a rehearsal that is under way", "does not exist", "list the rehearsals")
        going[0].stop()

    def close(self) -> None:
        """Let go of what is under way."""
        with self._lock:
            going, self._going = self._going, None
            asked = self._asked
        for errand in (asked, None if going is None else going[0]):
            if errand is not None:
                errand.close()

    def rehearsals(self, case_id: str, who: Standing) -> list[Rehearsed]:
        """Return the rehearsals of a case, newest first."""
        self._matters.read(case_id, who)
        return sorted(self._kept(case_id), key=lambda one: (one.made_at, one.rehearsal_id), reverse=True)

    def rehearsal(self, case_id: str, rehearsal_id: str, who: Standing) -> Rehearsed:
        """Return one; NotFound where there is none, or none for them."""
        found = next((one for one in self.rehearsals(case_id, who) if one.rehearsal_id == rehearsal_id), None)
        if found is None:
            raise NotFound(f"rehearsal {rehearsal_id[:40]!r}", "does not exist", "list the rehearsals of the case")
        return found

    def drop(self, case_id: str, rehearsal_id: str, who: Standing, actor: str) -> Change:
        """Forget a rehearsal."""
        self._matters.require_part(case_id, who)
        found = self.rehearsal(case_id, rehearsal_id, who)
        version = self._store.record(REHEARSAL, found.rehearsal_id).version
        draft = self._line(found.rehearsal_id, "drop", actor, None, version)
        change = self._store.apply(
            [draft], at=self._clock.now(), keeping=[Keeping(kind=REHEARSAL, key=rehearsal_id, body=None)]
        )[0]
        self._tell([change])
        return change

    def paper(self, case_id: str, rehearsal_id: str, form: str, language: str, who: Standing) -> bytes:
        """Return the record of a rehearsal as ``pdf`` or ``docx``."""
        found = self.rehearsal(case_id, rehearsal_id, who)
        seen = self._matters.read(case_id, who)
        title = seen.fields.get("title", seen.kind.label)
        words = record_words(
            found, title, ZoneInfo(self._pack.time_zone), language, self._matters.known.names(Refers.GROUND)
        )
        return as_file(compose(template_of(self._pack.folder, PAPER), words, language), form, found.made_at)

    def file(self, case_id: str, rehearsal_id: str, language: str, who: Standing) -> str:
        """Store the record as a file that a step of the case may take as evidence; return its digest."""
        self._matters.require_part(case_id, who)
        return self._matters.room.put(self.paper(case_id, rehearsal_id, "pdf", language, who), who.actor_id)

    def days(self) -> list[Json]:
        """Return the days without an event that the district can be simulated on, the ordinary one first.

        They are asked of the program beside, once; where it has not answered within some seconds there is none yet.
        """
        with self._lock:
            if self._asked is None and self._pack.folder is not None:
                self._asked = Errand(MODULE, {"days_of": str(self._pack.folder)}, self._learn)
        if self._asked is not None:
            self._asked.join(DAYS_S)
        return self._days

    def wait(self, seconds: float) -> None:
        """Wait until the days are known."""
        self.days()
        if self._asked is not None:
            self._asked.wait(seconds)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _learn(self, told: Json) -> None:
        self._days = list(told["days"])

    def _kept(self, case_id: str) -> list[Rehearsed]:
        return [
            _rehearsed(one.key, one.body) for one in self._store.kept(REHEARSAL) if one.key.startswith(f"{case_id}-")
        ]

    def _keep(self, case_id: str, wish: Wish, actor: str, told: Json) -> Then:
        """Keep what came of it beside the log, which says only that it was made; return what tells of it."""
        at = self._clock.now()
        rehearsal_id = f"{case_id}-{uuid.uuid4().hex[:8]}"
        body = {"case": case_id, "made_at": at.isoformat(), "actor": actor, "wish": asdict(wish), "told": told}
        draft = self._line(rehearsal_id, "rehearse", actor, {"case": case_id}, None)
        made = self._store.apply([draft], at=at, keeping=[Keeping(kind=REHEARSAL, key=rehearsal_id, body=body)])
        return lambda: self._tell(made)

    @staticmethod
    def _line(rehearsal_id: str, action: str, actor: str, body: Json | None, version: int | None) -> Draft:
        return Draft(
            kind=REHEARSAL, record_id=rehearsal_id, action=action, actor=actor, body=body, expected_version=version
        )


def record_words(
    one: Rehearsed, title: Any, zone: ZoneInfo, language: str, grounds: Mapping[str, Label]
) -> dict[str, Any]:
    """Return the words of the record of a rehearsal; ``grounds`` are the names of what zones are counted by, by id."""
    told = one.told

    def clock(at: str | None) -> str | None:
        return None if at is None else f"{parse_moment(at, 'at').astimezone(zone):%m-%d %H:%M}"

    def condition(row: Mapping[str, Any]) -> str:
        unit = {"density_per_m2": {"zh": "人/平方米", "en": "/m2"}, "occupancy": {"zh": "人", "en": "people"},
                "flow_per_min": {"zh": "人/分钟", "en": "/min"}}[row["measure"]][language]  # fmt: skip
        minutes = row["for_s"] / 60
        return f"> {row['above']:g} {unit}" + (f"，{minutes:g} 分钟" if language == "zh" else f", {minutes:g} min")

    zones = [
        {
            "zone": each["zone"], "ground": grounds.get(each["ground"], each["ground"]), "capacity": each["capacity"],
            "peak": None if each["peak"] is None else _with_interval(each["peak"]),
            "at": None if each["peak"] is None else clock(each["peak"]["at"]),
            "density": None if each["peak"] is None else each["peak"]["density_per_m2"],
            "over": each["over_capacity_min"], "dense": each["over_density_min"],
        }
        for each in told["zones"]
    ]  # fmt: skip
    triggers = [
        {
            "zone": each["zone"], "condition": condition(each), "action": each["action"], "office": each["office"],
            "fired": ", ".join(str(clock(fire["at"])) for fire in each["fired"]) or None,
            "highest": None if each["highest"] is None else round(each["highest"], 2),
        }
        for each in told["triggers"]
    ]  # fmt: skip
    words: dict[str, Any] = {
        "matter": title, "n_expected": told["n_expected"], "scenario": told["day"], "share": round(100 * told["share"]),
        "begin": clock(told["begin_at"]), "end": clock(told["end_at"]), "zones": zones, "triggers": triggers,
        "made_at": f"{one.made_at.astimezone(zone):%Y-%m-%d %H:%M}", "actor": one.actor,
    }  # fmt: skip
    unknown = max((each["unknown_min"] for each in told["zones"]), default=0)
    if unknown:
        words["unknown"] = unknown
    if told["clearance"] is not None:
        words["clearance"] = _cleared(told["clearance"], clock)
    return words


def _with_interval(peak: Mapping[str, Any]) -> str:
    low, high = peak["low"], peak["high"]
    return f"{peak['occupancy']:,}" if low is None or high is None else f"{peak['occupancy']:,} ({low:,}–{high:,})"


def _cleared(told: Mapping[str, Any], clock: Callable[[str | None], str | None]) -> Label:
    at, n = clock(told["at"]), told["n_persons"]
    if told["most_s"] is None:
        return {"zh": f"{at} 起 {n:,} 人，4 小时内未清空", "en": f"{n:,} people from {at}, not out within 4 hours"}
    minutes = told["most_s"] / 60
    return {
        "zh": f"{at} 起 {n:,} 人，95% 离开各分区约 {minutes:.0f} 分钟（不计迟疑与寻人）",
        "en": f"{n:,} people from {at}, 95 % out of the zones in about {minutes:.0f} min, if nobody hesitates",
    }


def _rehearsed(key: str, body: Json) -> Rehearsed:
    return Rehearsed(
        rehearsal_id=key, case_id=body["case"], made_at=parse_moment(body["made_at"], "made_at"), actor=body["actor"],
        wish=Wish(**body["wish"]), told=body["told"],
    )  # fmt: skip
