"""Plans of posts that are made while a district runs: asked for, solved beside, stopped, kept and read again."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from anlan.errand import Errand, Then
from anlan.kernel.clock import Clock
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft
from anlan.planning.ground import label_of, marked
from anlan.planning.rings import RingAsked, ring_form, rings_from, rings_of_forms
from anlan.store import SqlStore

log = logging.getLogger(__name__)

KIND = "plan"
MODULE = "anlan.planning.worker"
LONGEST_S = 600.0
MOST_VEHICLES = 200
MOST_KEY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of a plan: rings (the usual ones where empty), key areas by name, and how long to search.

    ``key`` None means the places that the pack marks as key. ``calls`` an hour, each keeping a unit for ``minutes``
    beside the way, make busy shares an outcome; None assumes.
    """

    rings: tuple[RingAsked, ...] = ()
    key: tuple[str, ...] | None = None
    vehicles: int = 7
    seconds: float = 60.0
    calls: float | None = None
    minutes: float = 30.0

    def __post_init__(self) -> None:
        if not 1 <= self.vehicles <= MOST_VEHICLES:
            raise BadInput(f"vehicles={self.vehicles}", f"must be 1..{MOST_VEHICLES}", "give how many there are")
        if not 1 <= self.seconds <= LONGEST_S:
            raise BadInput(f"seconds={self.seconds}", f"must be 1..{LONGEST_S:g} s", "give how long to search")
        if self.calls is not None and not 0 <= self.calls <= 10_000:
            raise BadInput(f"calls={self.calls}", "must be 0..10000 per hour", "leave it out to assume busy shares")
        if not 0 <= self.minutes <= 1440:
            raise BadInput(f"minutes={self.minutes}", "must be 0..1440 min", "give how long one keeps a unit")
        if self.key is not None and len(self.key) > MOST_KEY:
            raise BadInput(f"key={len(self.key)}", f"must be at most {MOST_KEY} key areas", "take some away")

    def checked(self, pack: Pack) -> Wish:
        """Return the wish, if the district has what it names.

        Raises
        ------
        BadInput
            If a key area is nothing of the pack's, is named twice, or a ring of key areas has none.
        """
        for k, name in enumerate(self.key or ()):
            if label_of(pack, name) is None:
                raise BadInput(
                    f"key.{k}={name!r}", "must be a place, stop, street or area of the district", "choose one listed"
                )
            if name in (self.key or ())[:k]:
                raise BadInput(f"key.{k}={name!r}", "must not be named twice", "take one of them away")
        named = marked(pack) if self.key is None else self.key
        keyed = next((k for k, ring in enumerate(self.rings) if ring.key), None)
        if keyed is not None and not named:
            raise BadInput(f"rings.{keyed}.key=true", "must have key areas", "name some, or let it hold everywhere")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """A plan that is being made, or the last one that came to nothing (``fault``; ``stopped`` by somebody)."""

    wish: Wish
    actor: str
    begun_at: datetime
    doing: str = ""
    share: float = 0.0
    fault: AnlanError | None = None
    stopped: bool = False

    @property
    def is_over(self) -> bool:
        """True where nothing is solved any more."""
        return self.stopped or self.fault is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """A plan that is kept: who asked for it when, and what it comes to."""

    plan_id: str
    made_at: datetime
    actor: str
    wish: Wish
    unit_hours: float
    gap: float
    kept: bool
    """Whether every ring is kept in every period."""


class PlanDesk:
    """Makes one plan at a time in a program of its own; any thread may ask."""

    def __init__(
        self, pack: Pack, folder: Path, store: SqlStore, clock: Clock, tell: Callable[[Sequence[Change]], object]
    ) -> None:
        self._pack, self._store, self._clock, self._tell = pack, store, clock, tell
        self._folder = folder / "plans"
        self._zone = ZoneInfo(pack.time_zone)
        self._lock = threading.Lock()
        self._making: tuple[Errand, Making] | None = None
        self._done: Making | None = None  # is kept already, though its program has not ended
        self._kept = {one.record_id: _kept(one.record_id, one.body) for one in store.records(KIND)}

    def begin(self, wish: Wish, actor: str) -> Making:
        """Begin to make a plan.

        Raises
        ------
        Conflict
            If one is being made.
        BadInput
            If the district has no such key area, or its pack is in no folder, from which another program could read it.
        """
        folder = self._pack.folder
        if folder is None:
            raise BadInput(f"pack {self._pack.pack_id!r}", "must be a folder to plan with", "write it with write_pack")
        wish.checked(self._pack)
        with self._lock:
            now = self._now()
            if now is not None and not now.is_over:
                raise Conflict("a plan", "is being made already", "wait for it, or stop it")
            made = Making(wish=wish, actor=actor, begun_at=self._clock.now())
            errand = Errand(MODULE, {**_wished(wish), "pack": str(folder)}, lambda told: self._keep(made, told))
            self._making = errand, made
            return made

    def stop(self) -> None:
        """Stop the plan that is being made; NotFound where there is none."""
        with self._lock:
            now = self._now()
            if self._making is None or now is None or now.is_over:
                raise NotFound("a plan that is being made", "does not exist", "list the plans")
            self._making[0].stop()

    def close(self) -> None:
        """Let go of what is still being made."""
        with self._lock:
            making, self._making = self._making, None
        if making is not None:
            making[0].close()

    def standing(self) -> tuple[Making | None, list[KeptPlan]]:
        """Return what is being made and the plans that are kept, newest first, at one moment: no plan is both.

        The first is the last attempt where that came to nothing, and None where there is neither.
        """
        with self._lock:
            kept = sorted(self._kept.values(), key=lambda one: (one.made_at, one.plan_id), reverse=True)
            return self._now(), kept

    def plan(self, plan_id: str) -> dict[str, Any]:
        """Return all that is kept of a plan: ``plan``, ``geojson``, ``facts`` and ``page`` by language.

        Raises
        ------
        NotFound
            If there is none of that id, or its file is gone.
        """
        with self._lock:
            known = plan_id in self._kept
        path = self._folder / f"{plan_id}.json"
        if not known or not path.is_file():
            raise NotFound(f"plan {plan_id!r}", "does not exist", "list the plans")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    # -- inside ----------------------------------------------------------------------------------------------------

    def _now(self) -> Making | None:
        if self._making is None:
            return None
        errand, made = self._making
        if made is self._done or (errand.is_over and errand.fault is None and not errand.stopped):
            return None
        return replace(made, doing=errand.doing, share=errand.share, fault=errand.fault, stopped=errand.stopped)

    def _keep(self, making: Making, told: dict[str, Any]) -> Then:
        """Keep a plan, the file first, then the line in the log that names it by its hash; return what tells of it."""
        with self._lock:
            at = self._clock.now()
            day = f"{at.astimezone(self._zone):%Y%m%d}"
            plan_id = f"{day}-{1 + sum(one.startswith(day) for one in self._kept):02d}"
            text = json.dumps(told, ensure_ascii=False)
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{plan_id}.json").write_text(text, encoding="utf-8")
            body = {
                "made_at": at.isoformat(),
                "actor": making.actor,
                "wish": _wished(making.wish),
                "unit_hours": told["plan"]["unit_hours"],
                "gap": told["plan"]["gap"],
                "kept": told["plan"]["kept"],
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
            draft = Draft(
                kind=KIND, record_id=plan_id, action="plan", actor=making.actor, body=body, expected_version=None
            )
            changes = self._store.apply([draft], at=at)
            self._kept[plan_id] = _kept(plan_id, body)
            self._done = making
        return lambda: self._tell(changes)


def _wished(wish: Wish) -> dict[str, Any]:
    plain = {name: getattr(wish, name) for name in ("vehicles", "seconds", "calls", "minutes")}
    key = None if wish.key is None else list(wish.key)
    return {"rings": [ring_form(one) for one in wish.rings], "key": key, **plain}


def _read(told: Mapping[str, Any]) -> Wish:
    """Return a wish from the log; rings once were a text, and what no longer is one is left out of it."""
    rings, key = told["rings"], told.get("key")
    try:
        made = (rings_from(rings) if rings else ()) if isinstance(rings, str) else rings_of_forms(rings)
    except BadInput as fault:  # a district must open, whatever was once allowed
        log.warning("the rings of a plan kept are not told: %s", fault)
        made = ()
    return Wish(**{**told, "rings": made, "key": None if key is None else tuple(key)})


def _kept(plan_id: str, body: Any) -> KeptPlan:
    return KeptPlan(
        plan_id=plan_id,
        made_at=datetime.fromisoformat(body["made_at"]),
        actor=body["actor"],
        wish=_read(body["wish"]),
        unit_hours=body["unit_hours"],
        gap=body["gap"],
        kept=body["kept"],
    )
